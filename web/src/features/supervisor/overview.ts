import { APP_TONES, type AppRow, type AppStatus, type EnvironmentRow } from './model';

export interface Attention {
  key: string;
  kind: 'error' | 'restart' | 'lost' | 'environment';
  /** The app or environment it is about. */
  name: string;
  app?: AppRow;
  message: string;
}

/** How many apps are in which state, in the order in which states are known. */
export function appsByStatus(apps: AppRow[]): [AppStatus, number][] {
  return (Object.keys(APP_TONES) as AppStatus[])
    .map((status): [AppStatus, number] => [status, apps.filter((app) => app.status === status).length])
    .filter(([, count]) => count > 0);
}

/** What a person should look at, the worst first. */
export function attention(apps: AppRow[], environments: EnvironmentRow[]): Attention[] {
  const failed = apps.flatMap((app) =>
    Object.entries(app.statuses ?? {}).flatMap(([place, status]): Attention[] =>
      status === 'error' ? [{ key: `error ${app.name} ${place}`, kind: 'error', name: place, app, message: app.reasons?.[place]?.message ?? '' }] : [],
    ),
  );
  const ill = environments
    .filter(({ status }) => status !== 'online' && status !== 'draining')
    .map(({ name, reason }): Attention => ({ key: `environment ${name}`, kind: 'environment', name, message: reason?.message ?? '' }));
  const lost = apps
    .filter(({ status }) => status === 'unknown' || status === 'not_found')
    .map((app): Attention => ({ key: `lost ${app.name}`, kind: 'lost', name: app.name, app, message: app.reason?.message ?? '' }));
  const restart = apps
    .filter(({ restartNeeded }) => restartNeeded)
    .map((app): Attention => ({ key: `restart ${app.name}`, kind: 'restart', name: app.name, app, message: '' }));
  return [...failed, ...ill, ...lost, ...restart];
}

/** The apps with most requests in the last minutes. */
export function busiest(apps: AppRow[], count: number): AppRow[] {
  return apps
    .filter(({ traffic }) => (traffic?.requests ?? 0) > 0)
    .sort((left, right) => (right.traffic?.requests ?? 0) - (left.traffic?.requests ?? 0))
    .slice(0, count);
}
