import { type QueryClient, queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { api, mainApi } from '../../app/api';
import { isBehindEntry, isMainApp } from '../../app/boot';
import { ApiError } from '../../app/errors';
import { sessionOf } from '../../app/session';
import { useLive, useLiveState } from '../../app/ws';
import { toast } from '../../ui/toasts';
import { type EnvironmentAnswer, environmentFrom } from './environmentRow';
import { type AppEvent, type AppRow, byPlace, type CheckResult, type DatabaseMode, type EnvironmentRow, type Finding, isTransitional, type ShownApp } from './model';
import { type LiveRow, putRow } from './liveRows';

const MANY = 1_000;
const applications = mainApi.resource<AppRow>('applications');
const environments = api.resource<EnvironmentAnswer>('environments');

export const appsQuery = queryOptions({
  queryKey: ['applications'],
  queryFn: async ({ signal }) => (await applications.list({ pageSize: MANY, sort: ['sort'] }, signal)).data,
  select: (rows: AppRow[]) => [...rows].sort(byPlace),
});

export const environmentsQuery = queryOptions({
  queryKey: ['environments'],
  queryFn: async ({ signal }) => (await environments.list({ pageSize: MANY }, signal)).data.map(environmentFrom),
});

export function appQuery(name: string) {
  return queryOptions({
    queryKey: ['application', name],
    queryFn: ({ signal }) => mainApi.call<AppRow | null>('applications:get', { params: { filterByTk: name }, signal }),
  });
}

export function eventsQuery(name: string) {
  return queryOptions({
    queryKey: ['application', name, 'events'],
    queryFn: ({ signal }) => mainApi.call<AppEvent[]>('applications:events', { params: { filterByTk: name }, signal }),
    retry: false,
  });
}

export function environmentQuery(name: string) {
  return queryOptions({
    queryKey: ['environment', name],
    queryFn: async ({ signal }) => {
      const row = await environments.get(name, {}, signal);
      return row && environmentFrom(row);
    },
  });
}

export interface TemplateRow {
  name: string;
  title: string;
  about: string;
  icon: string;
  /** Titles of its collections. */
  collections: string[];
}

/** What a new app can begin with, in the person's language. */
export function templatesQuery(language: string) {
  return queryOptions({
    queryKey: ['appTemplates', language],
    queryFn: ({ signal }) => mainApi.call<TemplateRow[]>('applications:templates', { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Live rows come over the socket; polling covers a lost message, and is faster while something changes. */
function pollInterval(open: boolean, changing: boolean): number {
  if (changing) return 5_000;
  return open ? 60_000 : 30_000;
}

/** From a business app the list needs the sign-in kept for the main app in this browser. */
export function canListApps(): boolean {
  return isMainApp || (isBehindEntry && sessionOf('main').token !== null);
}

export function useApps(wanted = true) {
  const open = useLiveState() === 'open' && isMainApp;
  return useQuery({
    ...appsQuery,
    enabled: wanted && canListApps(),
    refetchInterval: (query) => pollInterval(open, query.state.data?.some(isTransitional) ?? false),
  });
}

/** All apps for those who manage them, the pinned ones for everybody else; not asked for until `wanted`. */
export function useShownApps(wanted = true) {
  const all = useApps(wanted);
  const forbidden = all.error instanceof ApiError && all.error.status === 403;
  const pinned = useQuery({
    queryKey: ['pinnedApplications'],
    queryFn: () => mainApi.call<ShownApp[]>('applications:listPinned'),
    select: (rows) => rows.map((row) => ({ ...row, pinned: true })),
    enabled: forbidden,
  });
  const used = forbidden ? pinned : all;
  const apps: ShownApp[] | undefined = used.data;
  return { apps, error: used.error, refetch: used.refetch };
}

export function useApp(name: string) {
  const open = useLiveState() === 'open' && isMainApp;
  return useQuery({
    ...appQuery(name),
    refetchInterval: (query) => pollInterval(open, query.state.data ? isTransitional(query.state.data) : false),
  });
}

export function useEnvironments() {
  const open = useLiveState() === 'open';
  return useQuery({ ...environmentsQuery, refetchInterval: pollInterval(open, false) });
}


/** Keeps lists and details current from the live messages of the main app. */
export function useSupervisorLive(): void {
  const client = useQueryClient();
  // What happened while the socket was away was not sent to it.
  useLive('authorized', () => {
    for (const key of ['applications', 'application', 'environments', 'environment']) {
      void client.invalidateQueries({ queryKey: [key] });
    }
  });
  useLive<LiveRow<AppRow>>('supervisor:apps', (row) => putRow(client, 'applications', 'application', row));
  useLive<LiveRow<EnvironmentAnswer>>('supervisor:environments', (row) =>
    putRow<EnvironmentRow>(client, 'environments', 'environment', row.deleted ? row : environmentFrom(row)),
  );
}

export type AppCommand = 'start' | 'stop' | 'restart';

/** Sends a command. The state on the screen changes only when the server reports it. */
export function useAppCommand() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ name, command, environment }: { name: string; command: AppCommand; environment?: string }) =>
      applications.action(command, { key: name, body: environment ? { environment } : undefined }),
    onSuccess: (_, { name }) => {
      void client.invalidateQueries({ queryKey: ['applications'] });
      void client.invalidateQueries({ queryKey: ['application', name] });
    },
    onError: (error) => toast.error(error),
  });
}

export async function checkApp(values: object): Promise<CheckResult> {
  return applications.action<CheckResult>('check', { body: values });
}

export async function createApp(client: QueryClient, values: object): Promise<AppRow> {
  const row = await applications.create(values);
  client.setQueryData(['application', row.name], row);
  void client.invalidateQueries({ queryKey: ['applications'] });
  return row;
}

export async function updateApp(client: QueryClient, name: string, values: object): Promise<void> {
  await applications.update(name, values);
  await Promise.all([
    client.invalidateQueries({ queryKey: ['applications'] }),
    client.invalidateQueries({ queryKey: ['application', name] }),
  ]);
}

interface Removal {
  removeDatabase: boolean;
  /** Do not wait for environments that are offline. */
  force: boolean;
}

/** Resolves to whether the app is gone; otherwise an environment still has to do its part. */
export async function destroyApp(client: QueryClient, name: string, removal: Removal): Promise<boolean> {
  const { removeDatabase, force } = removal;
  await applications.destroy(name, { removeDatabase, ...(force ? { force } : {}) });
  void client.invalidateQueries({ queryKey: ['applications'] });
  return (await applications.get(name)) === null;
}

/** Asks for several at once; environments that are offline do their part when they are back. */
export async function destroyApps(client: QueryClient, names: string[], removeDatabase: boolean): Promise<void> {
  await applications.destroy(names, { removeDatabase });
  await client.invalidateQueries({ queryKey: ['applications'] });
}

/** Takes an environment out of service, or brings it back. */
export async function drainEnvironment(client: QueryClient, name: string, wanted: boolean): Promise<void> {
  await environments.action(wanted ? 'drain' : 'undrain', { key: name });
  await Promise.all([
    client.invalidateQueries({ queryKey: ['environments'] }),
    client.invalidateQueries({ queryKey: ['environment', name] }),
  ]);
}

export async function forgetEnvironment(client: QueryClient, name: string): Promise<void> {
  await environments.destroy(name);
  await client.invalidateQueries({ queryKey: ['environments'] });
}

/** What the Supervisor heard from one address of an environment; no status when there was no answer. */
export interface AddressAnswer {
  address: string;
  status: number | null;
  milliseconds: number;
  message: string;
}

export async function testEnvironment(name: string): Promise<Record<'url' | 'proxyUrl', AddressAnswer | null>> {
  return environments.action('test', { key: name });
}

/** What the server's resolver knows of a domain, and of the host of this page. */
export interface DomainAnswer {
  domain: string;
  entry: string;
  addresses: string[];
  entryAddresses: string[];
  /** Null when one of them has no address. */
  pointsHere: boolean | null;
  message: string;
}

export async function checkDomain(cname: string, signal?: AbortSignal): Promise<DomainAnswer> {
  return mainApi.call<DomainAnswer>('applications:checkDomain', { params: { cname }, signal });
}

export async function databaseModes(
  environments: string[],
  signal?: AbortSignal,
): Promise<Partial<Record<DatabaseMode, Finding | null>>> {
  return mainApi.call('applications:databaseModes', { params: { environments }, signal });
}

export async function rotateSecret(client: QueryClient, name: string, restart: boolean): Promise<void> {
  await applications.action('rotateSecret', { key: name, params: { restart } });
  await Promise.all([
    client.invalidateQueries({ queryKey: ['applications'] }),
    client.invalidateQueries({ queryKey: ['application', name] }),
  ]);
}
