import { describe, expect, it } from 'vitest';

import type { AppRow, EnvironmentRow } from './model';
import { compareVersions, newerForApp, newestVersion } from './versions';

const environment = (name: string, appVersion: string | null, available = true): EnvironmentRow => ({
  name, appVersion, available, status: available ? 'online' : 'offline',
});
const app = (...versions: [string, string?][]): AppRow => ({
  name: 'crm',
  status: 'running',
  instances: versions.map(([place, version]) => ({ environment: place, status: 'running', version })),
});

describe('versions', () => {
  it.each([
    ['1.4.2', '1.4.10'],
    ['0.1', '0.1.1'],
    ['1.0.0rc1', '1.0.0'],
    ['1.0.0rc2', '1.0.0rc10'],
    ['', '0.1.0'],
  ])('%s is older than %s', (older, newer) => {
    expect(compareVersions(older, newer)).toBeLessThan(0);
    expect(compareVersions(newer, older)).toBeGreaterThan(0);
  });

  it('builds of one version are the same', () => {
    expect(compareVersions('v1.2.0', '1.2+local.7')).toBe(0);
  });

  it('the newest is that of an environment that can be used', () => {
    const all = [environment('a', '1.4.2'), environment('b', '1.4.10'), environment('c', '2.0.0', false), environment('d', null)];
    expect(newestVersion(all)).toBe('1.4.10');
    expect(newestVersion([])).toBeUndefined();
  });

  it('an app is old only beside its own environments', () => {
    const all = [environment('a', '1.4.2'), environment('b', '1.5.0')];
    expect(newerForApp(app(['a', '1.4.2']), all)).toBeUndefined();
    expect(newerForApp(app(['a', '1.4.2'], ['b', '1.4.2']), all)).toBe('1.5.0');
    expect(newerForApp(app(['b'], ['gone', '0.1.0']), all)).toBeUndefined();
  });
});
