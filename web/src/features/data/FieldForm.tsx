import { Checkbox, Group, Select, Stack, Textarea, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { INTERFACES, interfaceOf, type FieldMeta, type InterfaceGroup } from '../../fields';
import classes from './data.module.css';
import { retitled, withKind, type FieldDraft } from './fieldDraft';
import { ON_DELETE } from './relationDraft';

interface Props {
  draft: FieldDraft;
  onChange: (draft: FieldDraft) => void;
  /** Names in use. */
  taken: string[];
  existing: boolean;
  errors: { title?: string; name?: string; other?: string };
}

const GROUPS: InterfaceGroup[] = ['basic', 'choices', 'date', 'advanced'];

/** Kinds to choose from, grouped. */
export function useInterfaceOptions() {
  const { t } = useTranslation('fields');
  return GROUPS.map((group) => ({
    group: t(`group.${group}`),
    items: INTERFACES.filter((kind) => kind.creatable && kind.group === group).map((kind) => ({ value: kind.id, label: t(`interface.${kind.id}`) })),
  }));
}

/** Everything about one field. */
export function FieldForm({ draft, onChange, taken, existing, errors }: Props) {
  const { t } = useTranslation(['data', 'fields']);
  const { field } = draft;
  const kind = interfaceOf(field);
  const options = useInterfaceOptions();
  const patch = (values: Partial<FieldDraft['field']>) => onChange({ ...draft, field: { ...field, ...values } });
  const { Config, Edit } = kind;
  return (
    <Stack gap="md">
      <Select
        label={t('field.interface')}
        description={existing ? t('config.locked', { ns: 'fields' }) : t('field.example', { value: t(`example.${kind.id}`, { ns: 'fields' }) })}
        data={kind.creatable ? options : [{ value: kind.id, label: t(`interface.${kind.id}`, { ns: 'fields' }) }]}
        value={kind.id}
        disabled={existing}
        searchable
        allowDeselect={false}
        onChange={(id) => id && onChange(withKind(draft, id))}
        renderOption={({ option }) => <InterfaceOption id={option.value} label={option.label} />}
      />
      <TextInput
        label={t('field.title')}
        required
        data-autofocus
        value={field.uiSchema?.title ?? ''}
        error={errors.title}
        onChange={(event) => onChange(existing ? { ...draft, field: { ...field, uiSchema: { ...field.uiSchema, title: event.currentTarget.value } } } : retitled(draft, event.currentTarget.value, taken))}
      />
      <TextInput
        label={t('field.name')}
        description={existing ? t('config.locked', { ns: 'fields' }) : t('field.nameHint')}
        required
        disabled={existing}
        value={field.name}
        error={errors.name}
        spellCheck={false}
        onChange={(event) => onChange({ field: { ...field, name: event.currentTarget.value }, namedByHand: true })}
      />
      <Textarea
        label={t('field.description')}
        autosize
        minRows={2}
        value={field.description ?? ''}
        onChange={(event) => patch({ description: event.currentTarget.value })}
      />
      {Config && <Config field={field} existing={existing} onChange={patch} />}
      {kind.relation && kind.id !== 'attachment' && <RelationFacts field={field} onChange={patch} />}
      {!kind.relation && (
        <Group gap="lg">
          {kind.id !== 'checkbox' && (
            <Checkbox
              label={t('field.required')}
              checked={field.allowNull === false}
              onChange={(event) => patch({ allowNull: event.currentTarget.checked ? false : undefined })}
            />
          )}
          {kind.canBeUnique && (
            <Checkbox
              label={t('field.unique')}
              checked={field.unique === true}
              onChange={(event) => patch({ unique: event.currentTarget.checked || undefined })}
            />
          )}
        </Group>
      )}
      {Edit && !kind.relation && kind.id !== 'uuid' && (
        <Edit
          key={kind.id}
          field={field}
          label={t('field.default')}
          value={field.defaultValue ?? null}
          onChange={(defaultValue) => patch({ defaultValue: defaultValue ?? undefined })}
        />
      )}
    </Stack>
  );
}

/** Where a relation leads to, and by which keys: fixed; what happens on deletion is not. */
function RelationFacts({ field, onChange }: { field: FieldMeta; onChange: (values: Partial<FieldMeta>) => void }) {
  const { t } = useTranslation('data');
  const facts: [string, unknown][] = [
    [t('relation.goesTo'), field.related?.collectionTitle ?? field.target],
    [t('relation.foreignKey'), field.foreignKey],
    [t('relation.otherKey'), field.otherKey],
    [t('relation.through'), field.through],
  ];
  return (
    <>
      <dl className={classes.details}>
        {facts.map(
          ([name, value]) =>
            typeof value === 'string' && (
              <div key={name} className={classes.detail}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
      {field.type !== 'belongsToMany' && field.type !== 'belongsToArray' && (
        <Select
          label={t('relation.onDelete')}
          allowDeselect={false}
          data={ON_DELETE.map((rule) => ({ value: rule, label: t(`onDelete.${rule}`) }))}
          value={typeof field.onDelete === 'string' ? field.onDelete : 'NO ACTION'}
          onChange={(onDelete) => onDelete && onChange({ onDelete })}
        />
      )}
    </>
  );
}

function InterfaceOption({ id, label }: { id: string; label: string }) {
  const { t } = useTranslation('fields');
  const Icon = INTERFACES.find((kind) => kind.id === id)?.icon;
  return (
    <Group gap="sm" wrap="nowrap">
      {Icon && <Icon size={18} aria-hidden />}
      <div>
        <div>{label}</div>
        <div style={{ fontSize: 'var(--mantine-font-size-xs)', color: 'var(--mantine-color-dimmed)' }}>{t(`example.${id}`, { defaultValue: '' })}</div>
      </div>
    </Group>
  );
}
