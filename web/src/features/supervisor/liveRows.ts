import type { QueryClient, QueryKey } from '@tanstack/react-query';

/** A live message about one row: the row as it is now, or that it is gone. */
export type LiveRow<T> = (T & { deleted?: false }) | { name: string; deleted: true };

/**
 * Writes what a live message says. A request under way was answered before the message, or will be overtaken
 * by the next one, so its answer must not replace the newer row: it is given up, or begun again when there is
 * nothing to show yet.
 */
function write<T>(client: QueryClient, queryKey: QueryKey, change: (before: T) => T): void {
  const before = client.getQueryData<T>(queryKey);
  if (before === undefined) {
    void client.invalidateQueries({ queryKey, exact: true });
    return;
  }
  void client.cancelQueries({ queryKey, exact: true });
  client.setQueryData<T>(queryKey, change(before));
}

/** Puts a row into the list under `list` and the single record under `single`. */
export function putRow<T extends { name: string }>(
  client: QueryClient,
  list: string,
  single: string,
  row: LiveRow<T>,
): void {
  write<T[]>(client, [list], (rows) => {
    if (row.deleted) return rows.filter((other) => other.name !== row.name);
    const known = rows.some((other) => other.name === row.name);
    return known ? rows.map((other) => (other.name === row.name ? (row as T) : other)) : [...rows, row as T];
  });
  write<T | null>(client, [single, row.name], () => (row.deleted ? null : (row as T)));
}
