import { IconLink, IconPlus, IconUnlink } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useCallback, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, type Key } from '../../app/api';
import { interfaceOf, type FieldMeta } from '../../fields';
import { DataGrid, useGridState, useShownColumns, type GridSelection } from '../../ui/DataGrid';
import { toast } from '../../ui/toasts';
import { WriteButton } from '../../ui/WriteButton';
import { AddExisting } from './AddExisting';
import { editableFields, fieldsOf, fieldTitle, isRelation, keyField, recordTitle, shownFields, type CollectionMeta, type RecordRow } from './model';
import { countRecords, listFilter, recordsQuery, useRecordFilterFields, useRefreshRecords, useShownAppends } from './queries';
import { recordColumns } from './recordColumns';
import { RecordFormDrawer } from './RecordFormDrawer';
import { useLiveRecords } from './useLiveRecords';
import type { FormPlace } from './useRecordForm';

interface Props {
  /** Collection and key of the record whose page this is. */
  source: CollectionMeta;
  sourceKey: Key;
  /** The relation to many. */
  field: FieldMeta;
  /** Where it leads to. */
  target: CollectionMeta;
}

/** The relations of the target that say the same from the other side. */
function otherSide(field: FieldMeta, source: CollectionMeta, target: CollectionMeta): string[] {
  return fieldsOf(target)
    .filter((other) => isRelation(other) && other.target === source.name)
    .filter((other) =>
      field.type === 'belongsToMany' ? other.through === field.through : other.type === 'belongsTo' && other.foreignKey === field.foreignKey,
    )
    .map((other) => other.name);
}

/** The records that hang on a record, as a list of their own: link, make, unlink. */
export function RelatedRecords({ source, sourceKey, field, target }: Props) {
  const { t } = useTranslation(['data', 'fields', 'ui']);
  const router = useRouter();
  const resource = `${source.name}/${encodeURIComponent(String(sourceKey))}/${field.name}`;
  const gridKey = `related.${source.name}.${field.name}`;
  const [state, setState] = useGridState(gridKey);
  const [open, setOpen] = useState<'new' | 'existing' | null>(null);
  const key = keyField(target);
  const rowId = useCallback((row: RecordRow) => String(key ? row[key] : JSON.stringify(row)), [key]);
  const back = useMemo(() => otherSide(field, source, target), [field, source, target]);
  // The way back is this record, in every row.
  const columns = useMemo(() => recordColumns(target).filter((column) => !back.includes(column.id) || field.type === 'belongsToMany'), [target, back, field]);
  const appends = useShownAppends(target, useShownColumns(gridKey, null, columns));
  const filterFields = useRecordFilterFields(target);
  const query = useQuery(recordsQuery(target, state, { appends, resource }));
  const place = useMemo<FormPlace>(() => ({ resource, without: back }), [resource, back]);
  const refreshTarget = useRefreshRecords(target.name);
  const refreshSource = useRefreshRecords(source.name);
  const refresh = async () => {
    await Promise.all([refreshTarget(), refreshSource()]);
  };
  const live = useLiveRecords({ collection: target, state, appends, rowId, rows: query.data?.rows ?? [], isFetching: query.isFetching, onFirstPage: () => setState({ page: 1 }) });
  const link = async (keys: Key[], verb: 'add' | 'remove') => {
    await api.call(`${resource}:${verb}`, { body: keys });
    await refresh();
  };
  const unlink = async (rows: RecordRow[]) => {
    const keys = rows.map((row) => row[String(field.targetKey ?? key)] as Key);
    await link(keys, 'remove');
    const first = rows[0];
    const message = rows.length === 1 && first ? t('related.unlinked', { name: recordTitle(target, first) }) : t('related.unlinkedMany', { count: rows.length });
    toast.undo(message, { commit: () => undefined, undo: () => void link(keys, 'add').catch(toast.error) });
  };
  const unlinkMany = async (selection: GridSelection<RecordRow>) => {
    if (!selection.allMatching) return unlink(selection.rows);
    const { data } = await api.resource<RecordRow>(resource).list({ filter: listFilter(target, state) ?? undefined, paginate: false });
    return unlink(data);
  };
  const writable = editableFields(target).length > 0;
  const title = fieldTitle(field);
  const buttons = (
    <>
      <WriteButton variant="default" leftSection={<IconLink size={16} />} onClick={() => setOpen('existing')}>
        {t('related.addExisting')}
      </WriteButton>
      {writable && (
        <WriteButton leftSection={<IconPlus size={16} />} onClick={() => setOpen('new')}>
          {t('record.new')}
        </WriteButton>
      )}
    </>
  );
  const to = (row: RecordRow) => ({ to: '/admin/r/$collection/$id', params: { collection: target.name, id: rowId(row) } }) as const;
  return (
    <>
      <DataGrid
        gridKey={gridKey}
        label={title}
        toolbar={buttons}
        columns={columns}
        query={query}
        state={state}
        onState={setState}
        rowId={rowId}
        rowName={(row) => recordTitle(target, row)}
        rowHref={key ? (row) => router.buildLocation(to(row)).publicHref : undefined}
        onOpen={key ? (row) => void router.navigate(to(row)) : undefined}
        onCreate={writable ? () => setOpen('new') : undefined}
        rowActions={(row) => [
          { id: 'unlink', label: t('related.unlink'), icon: <IconUnlink size={16} />, writes: true, onAction: () => void unlink([row]).catch(toast.error) },
        ]}
        bulkActions={[{ id: 'unlink', label: t('related.unlink'), icon: <IconUnlink size={16} />, onAction: (selection) => unlinkMany(selection).catch(toast.error) }]}
        live={live}
        filterFields={filterFields}
        searchable={shownFields(target).some((each) => interfaceOf(each).searchable)}
        empty={{ text: t('related.empty', { title }), action: buttons }}
      />
      {open === 'new' && <RecordFormDrawer collection={target} record={null} recordKey={null} place={place} onClose={() => { setOpen(null); void refresh(); }} />}
      {open === 'existing' && <AddExisting field={field} onAdd={(keys) => link(keys, 'add')} onClose={() => setOpen(null)} />}
    </>
  );
}

/** How many records a relation leads to, for the name of its tab. */
export function useRelatedCount(source: CollectionMeta, sourceKey: Key, field: FieldMeta, target: string) {
  const resource = `${source.name}/${encodeURIComponent(String(sourceKey))}/${field.name}`;
  return useQuery({ queryKey: ['records', target, 'count', resource], queryFn: () => countRecords(resource) }).data;
}
