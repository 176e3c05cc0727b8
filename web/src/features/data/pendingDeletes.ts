/**
 * Delete with undo: rows vanish at once, the request goes out when the toast closes,
 * or when the page is left. Undo cancels it.
 */
import { useMemo, useSyncExternalStore } from 'react';
import { api } from '../../app/api';
import { boot } from '../../app/boot';
import { Watched } from '../../app/events';
import { queryClient } from '../../app/queries';
import { session } from '../../app/session';
import { toast } from '../../ui/toasts';
import type { GridPage } from '../../ui/DataGrid';

interface Batch {
  collection: string;
  ids: string[];
}

const NONE: ReadonlySet<Batch> = new Set();

export class PendingDeletes {
  readonly batches = new Watched<ReadonlySet<Batch>>(NONE);

  constructor(
    /** Sends the request; rejects when the server refuses. */
    private readonly send: (batch: Batch) => Promise<unknown>,
    /** Called after each request with the collection that changed. */
    private readonly changed: (collection: string) => Promise<void>,
  ) {}

  /** Hides the rows and shows the toast. */
  start(collection: string, ids: string[], message: string): void {
    const batch = { collection, ids };
    this.batches.set(new Set([...this.batches.get(), batch]));
    toast.undo(message, { commit: () => void this.commit(batch), undo: () => this.forget(batch) });
  }

  hidden(collection: string): ReadonlySet<string> {
    return new Set([...this.batches.get()].filter((batch) => batch.collection === collection).flatMap((batch) => batch.ids));
  }

  /** Sends what is still pending, for a page that goes away. */
  takeAll(): Batch[] {
    const all = [...this.batches.get()];
    this.batches.set(NONE);
    return all;
  }

  private async commit(batch: Batch): Promise<void> {
    if (!this.batches.get().has(batch)) return;
    try {
      await this.send(batch);
      await this.changed(batch.collection);
    } catch (error) {
      toast.error(error);
    } finally {
      // Only now: until the fresh list is here, the old one still has the rows.
      this.forget(batch);
    }
  }

  private forget(batch: Batch): void {
    this.batches.set(new Set([...this.batches.get()].filter((other) => other !== batch)));
  }
}

export const pendingDeletes = new PendingDeletes(
  ({ collection, ids }) => api.resource(collection).destroy(ids),
  (collection) => queryClient.invalidateQueries({ queryKey: ['records', collection] }),
);

window.addEventListener('pagehide', () => {
  for (const { collection, ids } of pendingDeletes.takeAll()) {
    const query = new URLSearchParams({ filterByTk: JSON.stringify(ids) });
    // The page cannot wait for the answer; keepalive lets the request outlive it.
    void fetch(`${boot.api}${collection}:destroy?${query.toString()}`, {
      method: 'POST',
      keepalive: true,
      headers: session.token ? { Authorization: `Bearer ${session.token}` } : {},
    });
  }
});

/** A page of rows without those that are being deleted. */
export function useWithoutDeleted<Row>(
  collection: string,
  page: GridPage<Row> | undefined,
  idOf: (row: Row) => string,
): GridPage<Row> | undefined {
  const batches = useSyncExternalStore(pendingDeletes.batches.subscribe, pendingDeletes.batches.get);
  return useMemo(() => {
    const hidden = batches.size > 0 ? pendingDeletes.hidden(collection) : null;
    if (!page || !hidden || hidden.size === 0) return page;
    const rows = page.rows.filter((row) => !hidden.has(idOf(row)));
    const gone = page.rows.length - rows.length;
    return { ...page, rows, total: page.total === undefined ? undefined : page.total - gone };
  }, [batches, collection, page, idOf]);
}
