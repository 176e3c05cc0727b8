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

export function OneInput({ field, value, onChange, autoFocus, ...input }: EditProps) {
  const { t } = useTranslation('fields');
  const { related } = field;
  const [search, setSearch] = useState('');
  const [opened, setOpened] = useState(false);
  const current = value instanceof InvalidInput ? null : linkedRecord(value, related);
  const isAtRest = related !== undefined && current !== null && search === recordLabel(current, related);
  const query = useCandidates(related, isAtRest ? '' : search, opened);
  if (!related) return null;
  const records = together(related, current ? [current] : [], query.data ?? []);
  const select = (
    <Select
      {...input}
      style={{ flex: 1 }}
      data-autofocus={autoFocus || undefined}
      searchable
      clearable={!input.required}
      data={records.map(option(related))}
      // The server has searched.
      filter={({ options }) => options}
      searchValue={search}
      onSearchChange={setSearch}
      onDropdownOpen={() => setOpened(true)}
      nothingFoundMessage={t(query.isError ? 'related.failed' : query.isFetching ? 'related.searching' : 'related.none')}
      placeholder={t('related.search', { title: related.collectionTitle })}
      value={current ? keyOf(current, related) : null}
      onChange={(key) => onChange(records.find((record) => keyOf(record, related) === key) ?? null)}
    />
  );
  if (input['aria-label']) return select;
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
  if (!related) return null;
  if (current.length > MOST) {
    return (
      <Text size="sm" c="dimmed">
        {t('related.tooMany', { title: related.collectionTitle, count: current.length })}
      </Text>
    );
  }
  const records = together(related, current, query.data ?? []);
  return (
    <MultiSelect
      {...input}
      data-autofocus={autoFocus || undefined}
      searchable
      hidePickedOptions
      clearable
      data={records.map(option(related))}
      filter={({ options }) => options}
      searchValue={search}
      onSearchChange={setSearch}
      onDropdownOpen={() => setOpened(true)}
      nothingFoundMessage={t(query.isError ? 'related.failed' : query.isFetching ? 'related.searching' : 'related.none')}
      placeholder={current.length === 0 ? t('related.search', { title: related.collectionTitle }) : undefined}
      value={current.map((record) => keyOf(record, related))}
      onChange={(keys) => onChange(keys.flatMap((key) => records.find((record) => keyOf(record, related) === key) ?? []))}
    />
  );
}
