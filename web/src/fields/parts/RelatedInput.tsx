/** Inputs that link records: what is typed is searched for in the other collection. */
import { ActionIcon, Group, MultiSelect, Select, Text, Tooltip } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconExternalLink } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../../app/api';
import { queryClient } from '../../app/queries';
import { toast } from '../../ui/toasts';
import { interfaceOf } from '../registry';
import { InvalidInput, type EditProps, type RelatedMeta } from '../types';
import { keyOf, linkedRecord, linkedRecords, recordLabel, type LinkedRecord } from './related';

const SEARCH_DELAY_MS = 200;
const SHOWN = 20;
/** More are not listed in an input. */
const MOST = 200;

/** Records of the other collection whose title contains the words; those whose title comes first. */
export function useCandidates(related: RelatedMeta | undefined, search: string, on: boolean) {
  const [words] = useDebouncedValue(search.trim(), SEARCH_DELAY_MS);
  return useQuery(
    {
      queryKey: ['records', related?.collection ?? '', 'candidates', words],
      queryFn: async ({ signal }): Promise<LinkedRecord[]> => {
        if (!related) return [];
        const { key, title } = related;
        const inTitle = title && interfaceOf(title).searchable ? { [title.name]: { $includes: words } } : { [key]: words };
        const params = {
          filter: words ? inTitle : undefined,
          fields: [...new Set([key, title?.name ?? key])],
          sort: [title?.name ?? key],
          pageSize: SHOWN,
        };
        return (await api.resource<LinkedRecord>(related.collection).list(params, signal)).data;
      },
      enabled: on && related !== undefined,
      placeholderData: keepPreviousData,
      staleTime: 5_000,
    },
    queryClient,
  );
}

const option = (related: RelatedMeta) => (record: LinkedRecord) => ({ value: keyOf(record, related), label: recordLabel(record, related) });

/** All of both lists, each record once. */
function together(related: RelatedMeta, ...lists: LinkedRecord[][]): LinkedRecord[] {
  return [...new Map(lists.flat().map((record) => [keyOf(record, related), record])).values()];
}

/** Stands for a record that is not there yet in a list of choices; no key looks like it. */
const CREATE = '\u2795';

/** What was typed as a record that can be made on the spot; `make` answers it with its key. */
function useQuickCreate(related: RelatedMeta | undefined, search: string, records: LinkedRecord[]) {
  const { t } = useTranslation('fields');
  const words = search.trim();
  const isKnown = related !== undefined && records.some((record) => recordLabel(record, related).toLowerCase() === words.toLowerCase());
  const title = related?.isCreatable ? related.title : undefined;
  const offered = title !== undefined && words !== '' && !isKnown;
  const make = async (): Promise<LinkedRecord | null> => {
    if (!related || !title) return null;
    try {
      const made = await api.resource<LinkedRecord>(related.collection).create({ [title.name]: words });
      await queryClient.invalidateQueries({ queryKey: ['records', related.collection] });
      toast.success(t('related.created', { title: words, collection: related.collectionTitle }));
      return made;
    } catch (error) {
      toast.error(error);
      return null;
    }
  };
  return { choices: offered ? [{ value: CREATE, label: t('related.create', { title: words }) }] : [], make };
}

export function OneInput({ field, value, onChange, autoFocus, ...input }: EditProps) {
  const { t } = useTranslation('fields');
  const { related } = field;
  const [search, setSearch] = useState('');
  const [opened, setOpened] = useState(false);
  const current = value instanceof InvalidInput ? null : linkedRecord(value, related);
  const isAtRest = related !== undefined && current !== null && search === recordLabel(current, related);
  const query = useCandidates(related, isAtRest ? '' : search, opened);
  const records = related ? together(related, current ? [current] : [], query.data ?? []) : [];
  const inCell = input['aria-label'] !== undefined;
  const quick = useQuickCreate(inCell || query.isFetching ? undefined : related, search, records);
  if (!related) return null;
  const choose = async (key: string | null) => {
    if (key !== CREATE) return onChange(records.find((record) => keyOf(record, related) === key) ?? null);
    const made = await quick.make();
    if (made) onChange(made);
  };
  const select = (
    <Select
      {...input}
      style={{ flex: 1 }}
      data-autofocus={autoFocus || undefined}
      searchable
      clearable={!input.required}
      data={[...records.map(option(related)), ...quick.choices]}
      // The server has searched.
      filter={({ options }) => options}
      searchValue={search}
      onSearchChange={setSearch}
      onDropdownOpen={() => setOpened(true)}
      nothingFoundMessage={t(query.isError ? 'related.failed' : query.isFetching ? 'related.searching' : 'related.none')}
      placeholder={t('related.search', { title: related.collectionTitle })}
      value={current ? keyOf(current, related) : null}
      onChange={(key) => void choose(key)}
    />
  );
  if (inCell) return select;
  return (
    <Group gap={4} align="end" wrap="nowrap">
      {select}
      {current && (
        <Tooltip label={t('related.open')}>
          <ActionIcon
            variant="subtle"
            color="gray"
            size={36}
            aria-label={t('related.openOf', { title: recordLabel(current, related) })}
            component={Link}
            to="/admin/r/$collection/$id"
            params={{ collection: related.collection, id: keyOf(current, related) } as never}
            target="_blank"
          >
            <IconExternalLink size={18} />
          </ActionIcon>
        </Tooltip>
      )}
    </Group>
  );
}

export function ManyInput({ field, value, onChange, autoFocus, ...input }: EditProps) {
  const { t } = useTranslation('fields');
  const { related } = field;
  const [search, setSearch] = useState('');
  const [opened, setOpened] = useState(false);
  const current = linkedRecords(value, related);
  const query = useCandidates(related, search, opened);
  const records = related ? together(related, current, query.data ?? []) : [];
  const quick = useQuickCreate(query.isFetching ? undefined : related, search, records);
  if (!related) return null;
  if (current.length > MOST) {
    return (
      <Text size="sm" c="dimmed">
        {t('related.tooMany', { title: related.collectionTitle, count: current.length })}
      </Text>
    );
  }
  const choose = async (keys: string[]) => {
    const known = keys.flatMap((key) => records.find((record) => keyOf(record, related) === key) ?? []);
    const made = keys.includes(CREATE) ? await quick.make() : null;
    onChange(made ? [...known, made] : known);
  };
  return (
    <MultiSelect
      {...input}
      data-autofocus={autoFocus || undefined}
      searchable
      hidePickedOptions
      clearable
      data={[...records.map(option(related)), ...quick.choices]}
      filter={({ options }) => options}
      searchValue={search}
      onSearchChange={setSearch}
      onDropdownOpen={() => setOpened(true)}
      nothingFoundMessage={t(query.isError ? 'related.failed' : query.isFetching ? 'related.searching' : 'related.none')}
      placeholder={current.length === 0 ? t('related.search', { title: related.collectionTitle }) : undefined}
      value={current.map((record) => keyOf(record, related))}
      onChange={(keys) => void choose(keys)}
    />
  );
}
