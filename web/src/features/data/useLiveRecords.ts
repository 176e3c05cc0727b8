/** What others do to the records of a list, as the server announces it (`<collection>:changed`). */
import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { api, CLIENT_ID, type Key } from '../../app/api';
import { useLive, useLiveState } from '../../app/ws';
import type { GridLive, GridPage, GridState } from '../../ui/DataGrid';
import { bothFilters } from '../../ui/FilterBuilder';
import { keyField, type CollectionMeta, type RecordRow } from './model';
import { listFilter, recordQuery, recordsKey, useRefreshRecords, versioned, WITH_ETAGS } from './queries';
import { patched } from './useRecordEditing';

interface RecordsChange {
  action: 'created' | 'updated' | 'destroyed';
  /** Null: too many, or not known. */
  ids: Key[] | null;
  /** `X-Client-Id` of who made the change. */
  origin: string;
}

interface Options {
  collection: CollectionMeta;
  state: GridState;
  /** As the list asks for its rows. */
  appends: string[];
  rowId: (row: RecordRow) => string;
  rows: RecordRow[];
  /** The list is being loaded; afterwards nothing in it is new. */
  isFetching: boolean;
  onFirstPage: () => void;
}

/** Calls `handler` for each change of the collection's records that was not made in this page. */
function useOthersChanges(collection: string, handler: (change: RecordsChange) => void): void {
  useLive<RecordsChange>(`${collection}:changed`, (change) => {
    if (change.origin !== CLIENT_ID) handler(change);
  });
}

/** Keeps one record that is shown up to date; input in a form is not touched. */
export function useLiveRecord(collection: CollectionMeta, id: string): void {
  const client = useQueryClient();
  useOthersChanges(collection.name, ({ ids }) => {
    if (ids === null || ids.map(String).includes(id)) void client.invalidateQueries({ queryKey: recordQuery(collection, id).queryKey });
  });
}

/** Messages of this time become one request. */
const COLLECT_MS = 300;
const FADE_MS = 1_500;
const MOST = 200;
const NONE: ReadonlySet<string> = new Set();

export function useLiveRecords({ collection, state, appends, rowId, rows, isFetching, onFirstPage }: Options): GridLive {
  const client = useQueryClient();
  const refresh = useRefreshRecords(collection.name);
  const [gone, setGone] = useState(NONE);
  const created = useRef(new Set<string>());
  const updated = useRef(new Set<string>());
  const [fresh, setFresh] = useState(0);
  const key = keyField(collection);
  const shown = useMemo(() => new Set(rows.map(rowId)), [rows, rowId]);
  const filter = useMemo(() => listFilter(collection, state), [collection, state]);

  const patch = useCallback(
    (change: (page: GridPage<RecordRow>) => GridPage<RecordRow>) =>
      client.setQueriesData<GridPage<RecordRow>>({ queryKey: recordsKey(collection.name) }, (page) => page && change(page)),
    [client, collection.name],
  );
  const read = async (ids: string[], onlyMatching: boolean): Promise<RecordRow[]> => {
    const chosen = { [key ?? 'id']: { $in: ids } };
    const params = { filter: onlyMatching ? (bothFilters(filter, chosen) ?? chosen) : chosen, pageSize: MOST, appends };
    const { data, meta } = await api.resource<RecordRow>(collection.name).list(params, undefined, WITH_ETAGS);
    return versioned(data, meta.etags, key);
  };

  /** Changed rows get their new values where they stand; new ones are only counted. */
  const flush = async () => {
    const changed = [...updated.current];
    updated.current.clear();
    if (changed.length > 0) {
      const found = await read(changed, false);
      patch((page) => found.reduce((old, row) => patched(old, rowId, rowId(row), row), page));
    }
    const ids = [...created.current];
    const isMany = ids.length > MOST;
    setFresh(ids.length === 0 ? 0 : filter && !isMany ? (await read(ids, true)).length : ids.length);
  };
  const timer = useRef<number | undefined>(undefined);
  const fading = useRef(new Set<number>());
  const latest = useRef(flush);
  useEffect(() => {
    latest.current = flush;
  });
  useEffect(() => {
    const timers = fading.current;
    return () => {
      window.clearTimeout(timer.current);
      for (const each of timers) window.clearTimeout(each);
    };
  }, []);
  const flushSoon = () => {
    timer.current ??= window.setTimeout(() => {
      timer.current = undefined;
      // Without an answer the list stays as it was; the next message, or a reload, brings it up to date.
      latest.current().catch(() => undefined);
    }, COLLECT_MS);
  };

  const fade = (ids: string[]) => {
    setGone((old) => new Set([...old, ...ids]));
    const later = () => {
      const id = window.setTimeout(() => {
        fading.current.delete(id);
        // Rows must not move under the pointer: they go when it has left.
        if (document.querySelector(':is([role="grid"], [role="treegrid"]):hover')) later();
        else remove();
      }, FADE_MS);
      fading.current.add(id);
    };
    const remove = () => {
      const isGone = (row: RecordRow) => ids.includes(rowId(row));
      patch((page) => {
        const left = page.rows.filter((row) => !isGone(row));
        const count = page.rows.length - left.length;
        return { ...page, rows: left, total: page.total === undefined ? undefined : page.total - count };
      });
      setGone((old) => new Set([...old].filter((id) => !ids.includes(id))));
    };
    later();
  };

  useOthersChanges(collection.name, (change) => {
    if (key === null) return;
    void client.invalidateQueries({ queryKey: ['record', collection.name] });
    void client.invalidateQueries({ queryKey: ['count', collection.name] });
    if (change.ids === null) {
      void client.invalidateQueries({ queryKey: recordsKey(collection.name) });
      return;
    }
    const ids = change.ids.map(String);
    const here = ids.filter((id) => shown.has(id));
    if (change.action === 'created') for (const id of ids) created.current.add(id);
    if (change.action === 'updated') for (const id of here) updated.current.add(id);
    if (change.action === 'destroyed') {
      for (const id of ids) created.current.delete(id);
      if (here.length > 0) fade(here);
    }
    flushSoon();
  });

  // Messages were missed while the connection was away.
  const connection = useLiveState();
  const wasAway = useRef(false);
  useEffect(() => {
    if (connection === 'closed') wasAway.current = true;
    if (connection !== 'open' || !wasAway.current) return;
    wasAway.current = false;
    void refresh();
  }, [connection, refresh]);

  // What was just loaded holds everything that was new before.
  useEffect(() => {
    if (isFetching) return;
    created.current.clear();
    setFresh(0);
  }, [isFetching, filter]);

  const onShow = () => {
    created.current.clear();
    setFresh(0);
    onFirstPage();
    void refresh();
  };
  return { gone, fresh, onShow };
}
