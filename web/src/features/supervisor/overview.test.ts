import { describe, expect, it } from 'vitest';

import type { AppRow, AppStatus, EnvironmentRow } from './model';
import { appsByStatus, attention, busiest } from './overview';

const app = (name: string, status: AppStatus, more: Partial<AppRow> = {}): AppRow => ({ name, status, ...more });
const place = (name: string, status: EnvironmentRow['status']): EnvironmentRow => ({ name, status });

describe('the overview', () => {
  it('counts apps by state', () => {
    expect(appsByStatus([app('a', 'stopped'), app('b', 'running'), app('c', 'running')])).toEqual([['running', 2], ['stopped', 1]]);
  });

  it('names what needs attention, the worst first', () => {
    const reason = { code: 'X', message: 'No database.' };
    const apps = [
      app('late', 'running', { restartNeeded: true }),
      app('gone', 'unknown', { statuses: { env_b: 'unknown' } }),
      app('ill', 'running', { statuses: { env_a: 'running', env_b: 'error' }, reasons: { env_b: reason } }),
    ];
    const found = attention(apps, [place('env_a', 'online'), place('env_b', 'offline'), place('env_c', 'late')]);
    expect(found.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'error env_b', 'environment env_b', 'environment env_c', 'lost gone', 'restart late',
    ]);
    expect(found[0]).toMatchObject({ app: { name: 'ill' }, message: 'No database.' });
    expect(attention([app('a', 'running'), app('b', 'stopped')], [place('env_a', 'online'), place('env_b', 'draining')])).toEqual([]);
  });

  it('names the busiest apps', () => {
    const visited = (name: string, requests: number) => app(name, 'running', { traffic: { requests } as AppRow['traffic'] });
    expect(busiest([visited('a', 1), visited('b', 0), visited('c', 9), app('d', 'stopped')], 2).map(({ name }) => name)).toEqual(['c', 'a']);
  });
});
