/** Server state of the data screens. */
import { keepPreviousData, queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { api, type Key } from '../../app/api';
import { bothFilters, type Filter } from '../../ui/FilterBuilder';
import { formatSort, type GridPage, type GridState } from '../../ui/DataGrid';
import { interfaceOf } from '../../fields';
import { appendsOf, shownFields, withImpliedFields, type CollectionMeta, type RecordRow } from './model';

/** All collections with their fields in one request: the schema every data screen starts from. */
export const collectionsQuery = queryOptions({
  queryKey: ['collections'],
  queryFn: async ({ signal }) =>
    (
      await api.resource<CollectionMeta>('collections').list(
        { paginate: false, appends: ['fields'], filter: { 'hidden.$isFalsy': true }, sort: ['sort'] },
        signal,
      )
    ).data.map(withImpliedFields),
  staleTime: 30_000,
});

/** One collection out of the list; undefined while loading, null when there is none of this name. */
export function useCollection(name: string) {
  const query = useQuery(collectionsQuery);
  const collection = query.data === undefined ? undefined : (query.data.find((candidate) => candidate.name === name) ?? null);
  return { ...query, collection };
}

export function useRefreshCollections(): () => Promise<void> {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: ['collections'] });
}

export const recordsKey = (collection: string) => ['records', collection] as const;

/** Conditions of the quick search: any text field contains the words. */
export function searchFilter(collection: CollectionMeta, text: string): Filter | null {
  const needle = text.trim();
  const fields = shownFields(collection).filter((field) => interfaceOf(field).searchable);
  if (!needle || fields.length === 0) return null;
  return { $or: fields.map((field) => ({ [field.name]: { $includes: needle } })) };
}

/** What a list shows as one filter. */
export function listFilter(collection: CollectionMeta, state: GridState): Filter | null {
  return bothFilters(state.filter, searchFilter(collection, state.q));
}

export function recordsQuery(collection: CollectionMeta, state: GridState) {
  const filter = listFilter(collection, state) ?? undefined;
  const sort = state.sort.length > 0 ? formatSort(state.sort).split(',') : undefined;
  return queryOptions({
    queryKey: [...recordsKey(collection.name), { filter, sort, page: state.page, size: state.size }],
    queryFn: async ({ signal }): Promise<GridPage<RecordRow>> => {
      const { data, meta } = await api
        .resource<RecordRow>(collection.name)
        .list({ filter, sort, page: state.page, pageSize: state.size, appends: appendsOf(collection) }, signal);
      return { rows: data, total: meta.count, hasNext: meta.hasNext };
    },
    placeholderData: keepPreviousData,
  });
}

export function recordQuery(collection: CollectionMeta, key: Key) {
  return queryOptions({
    queryKey: ['record', collection.name, String(key)],
    queryFn: ({ signal }) => api.resource<RecordRow>(collection.name).get(key, { appends: appendsOf(collection) }, signal),
  });
}

/** Number of records that match; null when the server does not count. */
export async function countRecords(collection: string, filter?: Filter): Promise<number | null> {
  const { meta } = await api.resource<RecordRow>(collection).list({ filter, pageSize: 1, page: 1 });
  return meta.count ?? null;
}

export function useRefreshRecords(collection: string): () => Promise<void> {
  const client = useQueryClient();
  return useCallback(async () => {
    await Promise.all([
      client.invalidateQueries({ queryKey: recordsKey(collection) }),
      client.invalidateQueries({ queryKey: ['record', collection] }),
      client.invalidateQueries({ queryKey: ['count', collection] }),
    ]);
  }, [client, collection]);
}
