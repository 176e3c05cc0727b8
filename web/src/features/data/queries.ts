/** Server state of the data screens. */
import { keepPreviousData, queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import i18next from 'i18next';
import { useCallback, useMemo } from 'react';
import { api, type Key } from '../../app/api';
import { ApiError } from '../../app/errors';
import { bothFilters, type Filter } from '../../ui/FilterBuilder';
import { type GridPage, type GridState } from '../../ui/DataGrid';
import { interfaceOf } from '../../fields';
import { recordFilterFields } from './recordColumns';
import { appendsOf, fieldsOf, keyField, recordFields, shownFields, withEtag, withImpliedFields, withRelated, type CollectionMeta, type RecordRow } from './model';

/** All collections with their fields in one request: the schema every data screen starts from. */
export const collectionsQuery = queryOptions({
  queryKey: ['collections'],
  queryFn: async ({ signal }) =>
    withRelated((
      await api.resource<CollectionMeta>('collections').list(
        { paginate: false, appends: ['fields'], filter: { 'hidden.$isFalsy': true }, sort: ['sort'] },
        signal,
      )
    ).data.map(withImpliedFields)),
  staleTime: 30_000,
});

/** The names in use, those of hidden collections too. */
export const collectionNamesQuery = queryOptions({
  queryKey: ['collections', 'names'],
  queryFn: async ({ signal }) =>
    (await api.resource<CollectionMeta>('collections').list({ paginate: false, fields: ['name'] }, signal)).data.map((collection) => collection.name),
  staleTime: 0,
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

/** Linked records are asked for only where their column is shown. */
export function useShownAppends(collection: CollectionMeta, shown: ReadonlySet<string>): string[] {
  return useMemo(() => appendsOf(shownFields(collection).filter((field) => shown.has(field.name))), [collection, shown]);
}

const NO_COLLECTIONS: CollectionMeta[] = [];

export function useRecordFilterFields(collection: CollectionMeta) {
  const { data = NO_COLLECTIONS } = useQuery(collectionsQuery);
  return useMemo(() => recordFilterFields(collection, data), [collection, data]);
}

/** Asks a list for the versions of its records too. */
export const WITH_ETAGS = { 'X-With-ETags': 'true' };

/** Rows with their versions; in a tree those below too. */
export function versioned(rows: RecordRow[], etags: Record<string, string> | undefined, key: string | null, children?: string): RecordRow[] {
  if (!etags || key === null) return rows;
  return rows.map((row) => {
    const below = children === undefined ? undefined : row[children];
    const inner = Array.isArray(below) ? { [String(children)]: versioned(below as RecordRow[], etags, key, children) } : {};
    return withEtag({ ...row, ...inner }, etags[String(row[key])]);
  });
}

/**
 * Changes one record: only if it still is the version `etag`, when that is known. Else the error `isStale`.
 * Raises 404 when the record is gone.
 */
export async function changeRecord(collection: string, key: Key, values: RecordRow, etag: string | undefined): Promise<RecordRow> {
  const headers = etag === undefined ? undefined : { 'If-Match': etag };
  // An update answers with the list of changed records.
  const answer = await api.envelope(`${collection}:update`, { params: { filterByTk: key }, body: values, headers });
  const saved = Array.isArray(answer.data) ? (answer.data[0] as RecordRow | undefined) : (answer.data as RecordRow | undefined);
  if (!saved) throw new ApiError(404, [{ message: i18next.t('gone', { ns: 'data' }) }]);
  return withEtag(saved, answer.etag);
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

/** The order of a list as the API wants it: linked records are in the order of their titles. */
export function sortOf(collection: CollectionMeta, state: GridState): string[] | undefined {
  if (state.sort.length === 0) return undefined;
  return state.sort.map(({ id, desc }) => {
    const related = fieldsOf(collection).find((field) => field.name === id)?.related;
    return `${desc ? '-' : ''}${id}${related ? `.${related.title?.name ?? related.key}` : ''}`;
  });
}

interface ListOptions {
  /** From `appendsOf`. */
  appends: string[];
  /** The records that are linked to another one: `orders/5/lines`. */
  resource?: string;
  /** Name of the relation to the children: pages of roots, with all that is below them. */
  tree?: string;
}

export function recordsQuery(collection: CollectionMeta, state: GridState, { appends, resource = collection.name, tree }: ListOptions) {
  const filter = listFilter(collection, state) ?? undefined;
  const sort = sortOf(collection, state);
  return queryOptions({
    queryKey: [...recordsKey(collection.name), { resource, filter, sort, page: state.page, size: state.size, appends, tree }],
    queryFn: async ({ signal }): Promise<GridPage<RecordRow>> => {
      const { data, meta } = await api
        .resource<RecordRow>(resource)
        .list({ filter, sort, page: state.page, pageSize: state.size, appends, tree: tree ? true : undefined }, signal, WITH_ETAGS);
      const rows = versioned(data, meta.etags, keyField(collection), tree);
      return { rows: tree ? inSequence(rows, tree) : rows, total: meta.count, hasNext: meta.hasNext };
    },
    placeholderData: keepPreviousData,
  });
}

export function recordQuery(collection: CollectionMeta, key: Key) {
  const appends = appendsOf(recordFields(collection));
  return queryOptions({
    queryKey: ['record', collection.name, String(key), appends],
    queryFn: async ({ signal }): Promise<RecordRow | null> => {
      const { data, etag } = await api.envelope(`${collection.name}:get`, { params: { appends, filterByTk: key }, signal });
      return data ? withEtag(data as RecordRow, etag) : null;
    },
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

const LEVEL = '__level';

/** How deep a record of a tree is in its list. */
export const levelOf = (row: RecordRow): number => Number(row[LEVEL] ?? 0);

/** The records of a tree one behind the other, children behind their parent. */
export function inSequence(nodes: RecordRow[], children: string, level = 0): RecordRow[] {
  return nodes.flatMap(({ [children]: below, ...row }) => [
    { ...row, [LEVEL]: level },
    ...(Array.isArray(below) ? inSequence(below as RecordRow[], children, level + 1) : []),
  ]);
}
