import { Autocomplete, Button, Checkbox, Fieldset, Group, Radio, SegmentedControl, Select, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../../app/api';
import { ErrorState } from '../../ui/ErrorState';
import { FormDrawer } from '../../ui/FormDrawer';
import { toast } from '../../ui/toasts';
import classes from './data.module.css';
import { collectionTitle, type CollectionMeta } from './model';
import { collectionNamesQuery, collectionsQuery, useRefreshCollections, useRefreshRecords } from './queries';
import { checkRelation, emptyRelation, keyCandidates, ON_DELETE, relationBody, resolve, type OnDelete, type Relation, type RelationDraft } from './relationDraft';

interface Props {
  collection: CollectionMeta;
  onClose: () => void;
}

/** Describes a relation in two sentences; names and keys follow, and can be changed. */
export function RelationWizard({ collection, onClose }: Props) {
  const { t } = useTranslation(['data', 'fields', 'ui']);
  const { data: collections = [] } = useQuery(collectionsQuery);
  const [draft, setDraft] = useState<RelationDraft>(emptyRelation);
  const [start] = useState(draft);
  const [tried, setTried] = useState(false);
  const [saving, setSaving] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const refresh = useRefreshCollections();
  const refreshRecords = useRefreshRecords(collection.name);
  const patch = (values: Partial<RelationDraft>) => setDraft((old) => ({ ...old, ...values }));
  const target = collections.find((each) => each.name === draft.target);
  const { data: taken } = useQuery(collectionNamesQuery);
  const relation = target && taken && resolve(draft, collection, target, collections, taken);
  const wrong = target && relation ? checkRelation(draft, relation, collection, target) : { target: 'relation.targetMissing' };
  const message = (place: string) => {
    const key = tried ? (wrong as Record<string, string>)[place] : undefined;
    return key && t(key);
  };

  const save = async (): Promise<boolean> => {
    setTried(true);
    if (!relation || Object.keys(wrong).length > 0 || saving) return false;
    setSaving(true);
    setError(null);
    try {
      await api.resource(`collections/${collection.name}/fields`).create(relationBody(draft, relation));
      await Promise.all([refresh(), refreshRecords()]);
      toast.success(t('relation.added', { title: relation.title }));
      return true;
    } catch (problem) {
      setError(problem as Error);
      return false;
    } finally {
      setSaving(false);
    }
  };
  return (
    <FormDrawer
      opened
      onClose={onClose}
      size={680}
      dirty={JSON.stringify(draft) !== JSON.stringify(start)}
      onSave={save}
      title={t('relation.new')}
      footer={
        <Group justify="flex-end">
          <Button type="submit" form="relation-form" loading={saving}>
            {t('relation.add')}
          </Button>
        </Group>
      }
    >
      <form
        id="relation-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void save().then((done) => done && onClose());
        }}
      >
        <Stack gap="lg">
          {error && <ErrorState error={error} />}
          <Sentences here={collection} target={target} collections={collections} draft={draft} onChange={patch} error={message('target')} />
          {target && relation && (
            <>
              <Diagram here={collection} target={target} relation={relation} draft={draft} />
              <Names relation={relation} draft={draft} onChange={patch} message={message} />
              <ReverseField target={target} relation={relation} draft={draft} onChange={patch} message={message} />
              <Keys relation={relation} draft={draft} onChange={patch} message={message} collections={collections} />
            </>
          )}
        </Stack>
      </form>
    </FormDrawer>
  );
}

interface PartProps {
  relation: Relation;
  draft: RelationDraft;
  onChange: (values: Partial<RelationDraft>) => void;
  message: (place: string) => string | undefined;
}

interface SentencesProps {
  here: CollectionMeta;
  target: CollectionMeta | undefined;
  collections: CollectionMeta[];
  draft: RelationDraft;
  onChange: (values: Partial<RelationDraft>) => void;
  error: string | undefined;
}

/** "One order has [one] [customer]. One customer has [many] orders." */
function Sentences({ here, target, collections, draft, onChange, error }: SentencesProps) {
  const { t } = useTranslation('data');
  const amount = (many: boolean, change: (many: boolean) => void, label: string) => (
    <SegmentedControl
      size="sm"
      aria-label={label}
      value={many ? 'many' : 'one'}
      onChange={(value) => change(value === 'many')}
      data={[
        { value: 'one', label: t('relation.one') },
        { value: 'many', label: t('relation.many') },
      ]}
    />
  );
  const options = collections.filter((each) => each.fields !== undefined).map((each) => ({ value: each.name, label: collectionTitle(each) }));
  const there = target ? collectionTitle(target) : t('relation.other');
  return (
    <Stack gap="sm">
      <div className={classes.sentence}>
        <span>{t('relation.sentence', { title: collectionTitle(here) })}</span>
        {amount(draft.many, (many) => onChange({ many, foreignKey: undefined }), t('relation.howMany', { title: there }))}
        <Select
          aria-label={t('relation.target')}
          placeholder={t('relation.choose')}
          searchable
          data-autofocus
          data={options}
          value={draft.target || null}
          error={error}
          allowDeselect={false}
          onChange={(name) => name && onChange({ target: name, foreignKey: undefined, otherKey: undefined, through: undefined })}
        />
      </div>
      {target && (
        <div className={classes.sentence}>
          <span>{t('relation.sentence', { title: there })}</span>
          {amount(draft.backMany, (backMany) => onChange({ backMany, foreignKey: undefined }), t('relation.howMany', { title: collectionTitle(here) }))}
          <strong>{collectionTitle(here)}</strong>
        </div>
      )}
    </Stack>
  );
}

function Diagram({ here, target, relation, draft }: { here: CollectionMeta; target: CollectionMeta; relation: Relation; draft: RelationDraft }) {
  const { t } = useTranslation(['data', 'fields']);
  const between = relation.type === 'belongsToMany';
  const entity = (title: string, name: string, keys: string[]) => (
    <div className={classes.entity}>
      <strong>{title}</strong>
      {[name, ...keys].map((text, at) => (
        <div key={text}>
          <code>{at === 0 ? text : t('relation.key', { name: text })}</code>
        </div>
      ))}
    </div>
  );
  const holds = (name: string) => (!between && relation.holder === name ? [relation.foreignKey] : []);
  const edge = (text: string) => (
    <span className={classes.edge} aria-hidden>
      {text}
    </span>
  );
  const sign = (many: boolean) => (many ? 'n' : '1');
  return (
    <figure style={{ margin: 0 }}>
      <figcaption>
        <Text size="sm" c="dimmed" mb={4}>
          {t(`relation.means.${relation.type}`, { here: collectionTitle(here), there: collectionTitle(target) })}
        </Text>
      </figcaption>
      <div className={classes.diagram} data-through={between || undefined}>
        {entity(collectionTitle(here), here.name, here.name === target.name ? [] : holds(here.name))}
        {between ? (
          <>
            {edge('1 — n')}
            {entity(t('relation.junction'), relation.through, [relation.foreignKey, relation.otherKey])}
            {edge('n — 1')}
          </>
        ) : (
          edge(`${sign(draft.backMany)} — ${sign(draft.many)}`)
        )}
        {entity(collectionTitle(target), target.name, holds(target.name))}
      </div>
    </figure>
  );
}

function Names({ relation, draft, onChange, message }: PartProps) {
  const { t } = useTranslation('data');
  return (
    <Group grow align="start">
      <TextInput label={t('relation.fieldTitle')} value={draft.title} placeholder={relation.title} onChange={(event) => onChange({ title: event.currentTarget.value })} />
      <TextInput
        label={t('field.name')}
        spellCheck={false}
        value={relation.name}
        error={message('name')}
        onChange={(event) => onChange({ name: event.currentTarget.value })}
      />
    </Group>
  );
}

function ReverseField({ target, relation, draft, onChange, message }: PartProps & { target: CollectionMeta }) {
  const { t } = useTranslation('data');
  const title = collectionTitle(target);
  return (
    <Stack gap="sm">
      <Checkbox
        label={t('relation.reverse', { title })}
        description={t(target.system === true ? 'relation.reverseSystem' : 'relation.reverseHint')}
        checked={relation.reverse !== null}
        disabled={target.system === true}
        onChange={(event) => onChange({ reverse: event.currentTarget.checked })}
      />
      {relation.reverse && (
        <Group grow align="start">
          <TextInput
            label={t('relation.reverseTitle', { title })}
            value={draft.reverseTitle ?? ''}
            placeholder={relation.reverse.title}
            onChange={(event) => onChange({ reverseTitle: event.currentTarget.value })}
          />
          <TextInput
            label={t('relation.reverseName', { title })}
            spellCheck={false}
            value={relation.reverse.name}
            error={message('reverseName')}
            onChange={(event) => onChange({ reverseName: event.currentTarget.value })}
          />
        </Group>
      )}
    </Stack>
  );
}

/** Where the keys are, and what happens when the other record goes. */
function Keys({ relation, draft, onChange, message, collections }: PartProps & { collections: CollectionMeta[] }) {
  const { t } = useTranslation('data');
  const between = relation.type === 'belongsToMany';
  const holder = collections.find((each) => each.name === relation.holder);
  return (
    <Fieldset legend={t('relation.keys')}>
      <Stack gap="sm">
        {between && (
          <TextInput
            label={t('relation.through')}
            description={t('relation.throughHint')}
            spellCheck={false}
            value={relation.through}
            error={message('through')}
            onChange={(event) => onChange({ through: event.currentTarget.value })}
          />
        )}
        <Group grow align="start">
          <Autocomplete
            label={t('relation.foreignKey')}
            description={t('relation.foreignKeyHint', { title: holder ? collectionTitle(holder) : relation.holder })}
            spellCheck={false}
            data={keyCandidates(holder)}
            value={relation.foreignKey}
            error={message('foreignKey')}
            onChange={(foreignKey) => onChange({ foreignKey })}
          />
          {between && (
            <TextInput
              label={t('relation.otherKey')}
              description={t('relation.foreignKeyHint', { title: relation.through })}
              spellCheck={false}
              value={relation.otherKey}
              error={message('otherKey')}
              onChange={(event) => onChange({ otherKey: event.currentTarget.value })}
            />
          )}
        </Group>
        {!between && (
          <Radio.Group label={t('relation.onDelete')} value={draft.onDelete} onChange={(value) => onChange({ onDelete: value as OnDelete })}>
            <Stack gap={6} mt={6}>
              {ON_DELETE.map((rule) => (
                <Radio key={rule} value={rule} label={t(`onDelete.${rule}`)} />
              ))}
            </Stack>
          </Radio.Group>
        )}
      </Stack>
    </Fieldset>
  );
}
