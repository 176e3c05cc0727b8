/** Records that are changed or deleted together. */
import type { QueryClient } from '@tanstack/react-query';
import i18next from 'i18next';
import type { Filter } from '../../ui/FilterBuilder';
import { startTask } from '../tasks/queries';

/** Up to this many go at once; more become a task. */
export const AT_ONCE = 200;

export interface BulkSelection {
  ids: string[];
  allMatching: boolean;
  /** As the server counted them last: it refuses the task when there are others by then. */
  count: number;
  /** What the list shows. */
  filter: Filter | null;
  /** Name of the record key. */
  keyName: string;
}

export const filterOf = (selection: BulkSelection): Filter | undefined =>
  selection.allMatching ? (selection.filter ?? undefined) : { [selection.keyName]: { $in: selection.ids } };

export async function deleteAsTask(client: QueryClient, collection: string, selection: BulkSelection): Promise<void> {
  const { count } = selection;
  const shown = new Intl.NumberFormat(i18next.language).format(count);
  await i18next.loadNamespaces('transfer');
  const title = i18next.t('bulk.deleteTitle', { ns: 'transfer', count, shown });
  await startTask(client, 'records:destroy', { collection, filter: filterOf(selection), expected: count }, { title });
}
