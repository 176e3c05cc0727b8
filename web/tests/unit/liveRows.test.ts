import { QueryClient } from '@tanstack/react-query';
import { expect, it } from 'vitest';

import { putRow } from '../../src/features/supervisor/liveRows';

interface Row {
  name: string;
  status: string;
}

const LIST = ['applications'];
const put = (client: QueryClient, row: Row | { name: string; deleted: true }) =>
  putRow<Row>(client, 'applications', 'application', row);

it('replaces, adds and removes rows', () => {
  const client = new QueryClient();
  client.setQueryData(LIST, [{ name: 'a', status: 'stopped' }]);
  put(client, { name: 'a', status: 'running' });
  put(client, { name: 'b', status: 'preparing' });
  expect(client.getQueryData(LIST)).toEqual([{ name: 'a', status: 'running' }, { name: 'b', status: 'preparing' }]);
  put(client, { name: 'a', deleted: true });
  expect(client.getQueryData(LIST)).toEqual([{ name: 'b', status: 'preparing' }]);
});

it('says that a shown record is gone', () => {
  const client = new QueryClient();
  client.setQueryData(['application', 'a'], { name: 'a', status: 'running' });
  put(client, { name: 'a', deleted: true });
  expect(client.getQueryData(['application', 'a'])).toBeNull();
});

it('does not let an older answer replace a newer row', async () => {
  const client = new QueryClient();
  const queryKey = ['application', 'a'];
  client.setQueryData(queryKey, { name: 'a', status: 'running' });
  let answer: (row: Row) => void = () => undefined;
  const fetched = client
    .fetchQuery({ queryKey, queryFn: () => new Promise<Row>((resolve) => (answer = resolve)), staleTime: 0 })
    .catch(() => undefined);
  await Promise.resolve();
  put(client, { name: 'a', status: 'stopped' });
  answer({ name: 'a', status: 'commanding' });
  await fetched;
  expect(client.getQueryData(queryKey)).toEqual({ name: 'a', status: 'stopped' });
});
