import type { AppRow, EnvironmentRow } from './model';

/** Which of two versions is newer: below 0 when `left` is older. Numbers count as numbers; "1.0.0rc1" is before "1.0.0". */
export function compareVersions(left: string, right: string): number {
  const [one, two] = [parse(left), parse(right)];
  for (let place = 0; place < Math.max(one.numbers.length, two.numbers.length); place += 1) {
    const difference = (one.numbers[place] ?? 0) - (two.numbers[place] ?? 0);
    if (difference !== 0) return difference;
  }
  if (one.rest === two.rest) return 0;
  if (one.rest === '' || two.rest === '') return one.rest === '' ? 1 : -1;
  return one.rest.localeCompare(two.rest, 'en', { numeric: true });
}

function parse(version: string): { numbers: number[]; rest: string } {
  const release = /^v?(\d+(?:\.\d+)*)/.exec(version.trim());
  // What stands behind + tells builds apart, not versions.
  const rest = version.trim().slice(release?.[0].length ?? 0).split('+')[0] ?? '';
  return { numbers: (release?.[1] ?? '').split('.').map(Number), rest };
}

/** The newest version among the environments that can be used; undefined while none tells its own. */
export function newestVersion(environments: EnvironmentRow[]): string | undefined {
  const versions = environments.flatMap(({ available, appVersion }) => (available && appVersion ? [appVersion] : []));
  return versions.sort(compareVersions).at(-1);
}

/** The version of the app's environment where a process of it runs the app with an older one; undefined for none. */
export function newerForApp(app: AppRow, environments: EnvironmentRow[]): string | undefined {
  const newer = (app.instances ?? []).flatMap(({ environment, version }) => {
    const offered = environments.find(({ name }) => name === environment)?.appVersion;
    return version && offered && compareVersions(version, offered) < 0 ? [offered] : [];
  });
  return newer.sort(compareVersions).at(-1);
}
