import { queryOptions, useQuery } from '@tanstack/react-query';

import { actingRole, ALL_ROLES } from './actingRole';
import { api } from './api';
import { boot } from './boot';
import { removeDrafts } from './drafts';
import { queryClient } from './queries';
import { session } from './session';

export interface Role {
  name: string;
  title?: string;
}

export interface Account {
  id: number;
  username: string | null;
  nickname: string | null;
  email: string | null;
  phone?: string | null;
  roles?: Role[];
}

export interface AppInfo {
  name: string;
  version: string;
  lang: string;
  database?: { dialect: string };
}

export interface SystemSettings {
  title?: string | null;
  allowSignUp?: boolean;
  enableChangePassword?: boolean;
  appLang?: string | null;
  enabledLanguages?: string[];
  options?: SystemOptions | null;
}

export interface SystemOptions {
  /** A picture as a `data:` address. */
  logo?: string | null;
  /** `pending` on a fresh server until its first administrator has gone through the first steps, or left them. */
  setup?: 'pending' | 'done';
  [key: string]: unknown;
}

export const accountQuery = queryOptions({
  queryKey: ['account'],
  queryFn: () => api.call<Account>('auth:check'),
  staleTime: 60_000,
});

export const appInfoQuery = queryOptions({
  queryKey: ['appInfo'],
  queryFn: () => api.call<AppInfo>('app:getInfo'),
  staleTime: Number.POSITIVE_INFINITY,
});

export const systemSettingsQuery = queryOptions({
  queryKey: ['systemSettings'],
  queryFn: () => api.call<SystemSettings>('systemSettings:get'),
  staleTime: 60_000,
});

/** The signed-in person; undefined until known. */
export function useAccount(): Account | undefined {
  return useQuery(accountQuery).data;
}

export function nameOf(account: Account): string {
  return account.nickname || account.username || account.email || `#${account.id}`;
}

/** As what the person works here: the role that was chosen, or all they have. */
function rolesOf(account: Account | undefined): string[] {
  const held = account?.roles?.map(({ name }) => name) ?? [];
  const chosen = actingRole.get();
  return chosen !== null && chosen !== ALL_ROLES && held.includes(chosen) ? [chosen] : held;
}

/** Which role the server takes, and whether all may be used at once; for people with several. */
export const roleQuery = queryOptions({
  queryKey: ['role'],
  queryFn: () => api.call<{ role: string; roleMode: 'default' | 'allow-use-union' | 'only-use-union' }>('roles:check'),
  staleTime: Number.POSITIVE_INFINITY,
});

/** Root and admin may configure everything; members nothing yet. */
export function mayConfigure(account: Account | undefined): boolean {
  return rolesOf(account).some((name) => name === 'root' || name === 'admin');
}

/** The app's own title from its settings, else what the server put into the page. */
export function useAppTitle(): string {
  const title = useQuery(systemSettingsQuery).data?.title;
  return title || boot.title || boot.app;
}

/** The picture of this app from its settings. */
export function useLogo(): string | undefined {
  return useQuery(systemSettingsQuery).data?.options?.logo ?? undefined;
}

/** Changes some of the settings; `options` are merged into those there are. */
export async function saveSystemSettings(values: SystemSettings): Promise<void> {
  const present = await queryClient.fetchQuery({ ...systemSettingsQuery, staleTime: 0 });
  const options = { ...present.options, ...values.options };
  await api.call('systemSettings:put', { body: { ...values, options } });
  await queryClient.invalidateQueries({ queryKey: systemSettingsQuery.queryKey });
}

export interface Credentials {
  account: string;
  password: string;
  /** Of an authenticator app, where the account has one. */
  code?: string;
}

/** Signs in with the password authenticator of that name. */
export async function signIn(credentials: Credentials, remember: boolean, method = 'basic'): Promise<void> {
  const answer = await api.call<{ user: Account; token: string }>('auth:signIn', {
    body: credentials,
    headers: { 'X-Authenticator': method },
    quiet: true,
  });
  session.start(answer.token, remember);
}

/** Ends the session here even when the server cannot be told. */
export async function signOut(): Promise<void> {
  try {
    await api.call('auth:signOut', { method: 'POST', quiet: true });
  } finally {
    session.end();
    removeDrafts();
    actingRole.forget();
    queryClient.clear();
  }
}
