import { Button } from '@mantine/core';
import { IconArrowsLeftRight, IconLink, IconPlus } from '@tabler/icons-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { DataGrid, useGridState, useLocalPage, type GridColumn } from '../../ui/DataGrid';
import { interfaceOf, isRequired, type FieldMeta } from '../../fields';
import classes from './data.module.css';
import { DeleteField } from './DeleteField';
import { FieldDrawer } from './FieldDrawer';
import { fieldsOf, fieldTitle, isSystemField, type CollectionMeta } from './model';
import { QuickAddField } from './QuickAddField';
import { RelationWizard } from './RelationWizard';
import { useCollection } from './queries';

interface Props {
  collection: CollectionMeta;
  configure: boolean;
}

const PATH = '/admin/settings/data/$source/collections/$collection/$tab';

/** The fields of a collection; own ones first, those of the server after them. */
export function FieldsTab({ collection, configure }: Props) {
  const { t } = useTranslation(['data', 'fields', 'ui']);
  const navigate = useNavigate({ from: PATH });
  const { field: shown, relation } = useSearch({ from: PATH });
  const [deleting, setDeleting] = useState<FieldMeta | null>(null);
  const [state, setState] = useGridState('fields');
  const { isFetching, error, refetch } = useCollection(collection.name);
  const columns = useFieldColumns();
  const fields = useMemo(() => {
    const all = fieldsOf(collection);
    return [...all.filter((field) => !isSystemField(field)), ...all.filter(isSystemField)];
  }, [collection]);
  const query = useLocalPage({ data: fields, error, isFetching, isPlaceholderData: false, refetch }, state, columns);
  // The drawer asks for itself before it closes.
  const show = (field: string | undefined) =>
    void navigate({ search: (old) => ({ ...old, field }), replace: field === undefined, ignoreBlocker: true });
  const wizard = (on: boolean) => void navigate({ search: (old) => ({ ...old, relation: on || undefined }), replace: !on, ignoreBlocker: true });
  const editing = fields.find((field) => field.name === shown) ?? null;
  const canChange = (field: FieldMeta) => configure && !isSystemField(field);
  return (
    <>
      <DataGrid
        gridKey="fields"
        label={t('column.fields')}
        columns={columns}
        query={query}
        state={state}
        onState={setState}
        rowId={(field) => field.name}
        onOpen={configure ? (field) => canChange(field) && show(field.name) : undefined}
        onDelete={configure ? (field) => canChange(field) && setDeleting(field) : undefined}
        onCreate={configure ? () => show('new') : undefined}
        reserve={configure ? 72 : 0}
        toolbar={
          configure && (
            <>
              <Button leftSection={<IconPlus size={16} />} onClick={() => show('new')}>
                {t('field.add')}
              </Button>
              <Button variant="default" leftSection={<IconArrowsLeftRight size={16} />} onClick={() => wizard(true)}>
                {t('relation.add')}
              </Button>
            </>
          )
        }
        empty={{ text: t('field.empty') }}
      />
      {configure && <QuickAddField collection={collection} />}
      {configure && (shown === 'new' || editing) && (
        <FieldDrawer key={shown} collection={collection} field={editing} onClose={() => show(undefined)} />
      )}
      {configure && relation && <RelationWizard collection={collection} onClose={() => wizard(false)} />}
      <DeleteField collection={collection} field={deleting} onClose={() => setDeleting(null)} />
    </>
  );
}

function useFieldColumns(): GridColumn<FieldMeta>[] {
  const { t, i18n } = useTranslation(['data', 'fields']);
  return useMemo(() => {
    const yes = (value: boolean) => (value ? t('yes', { ns: 'fields' }) : '');
    const kindName = (field: FieldMeta) => (field.isForeignKey === true ? t('field.foreignKey') : t(`interface.${interfaceOf(field).id}`, { ns: 'fields' }));
    return [
      { id: 'title', title: t('column.title'), width: 200, text: fieldTitle, sortValue: fieldTitle, card: 'title' },
      { id: 'name', title: t('column.name'), width: 160 },
      {
        id: 'interface',
        title: t('field.interface'),
        width: 180,
        text: kindName,
        sortValue: kindName,
        cell: (field) => {
          const Icon = field.isForeignKey === true ? IconLink : interfaceOf(field).icon;
          return (
            <span className={classes.kind}>
              <Icon size={16} aria-hidden />
              {kindName(field)}
            </span>
          );
        },
      },
      { id: 'type', title: t('column.type'), width: 110 },
      { id: 'required', title: t('field.required'), width: 110, text: (field) => yes(isRequired(field)), sortValue: isRequired },
      { id: 'unique', title: t('field.unique'), width: 100, text: (field) => yes(field.unique === true), sortValue: (field) => field.unique === true },
      {
        id: 'default',
        title: t('field.default'),
        width: 140,
        sortable: false,
        text: (field) => interfaceOf(field).text(field.defaultValue, field, i18n.language),
      },
      { id: 'description', title: t('column.description'), width: 220, text: (field) => field.description ?? '' },
    ];
  }, [t, i18n.language]);
}
