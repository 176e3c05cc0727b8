import { queryOptions, useQueryClient } from '@tanstack/react-query';

import { api } from '../../app/api';

export interface OpenSession {
  id: string;
  current: boolean;
  signedInAt: string;
  seenAt: string;
  /** What the browser calls itself. */
  agent: string | null;
  address: string | null;
}

export interface SecondFactor {
  enabled: boolean;
  recoveryCodes: number;
}

export interface ApiKey {
  id: number;
  name: string;
  roleName: string;
  role?: { title: string | null } | null;
  tokenEnd: string;
  createdAt: string;
  lastUsedAt: string | null;
  expiresAt: string | null;
}

export const sessionsQuery = queryOptions({
  queryKey: ['sessions'],
  queryFn: () => api.call<OpenSession[]>('auth:listSessions'),
});

export const secondFactorQuery = queryOptions({
  queryKey: ['secondFactor'],
  queryFn: () => api.call<SecondFactor>('auth:secondFactor'),
});

export const apiKeysQuery = queryOptions({
  queryKey: ['apiKeys'],
  queryFn: async () =>
    (await api.resource<ApiKey>('apiKeys').list({ paginate: false, appends: ['role'], sort: ['-createdAt'] })).data,
});

export interface Authenticator {
  id: number;
  name: string;
  authType: string;
  title: string | null;
  enabled: boolean;
  sort: number | null;
  options: { public?: PublicOptions; oidc?: OidcOptions; [key: string]: unknown } | null;
}

export interface OidcOptions {
  issuer: string;
  clientId: string;
  linkByEmail?: boolean;
}

export interface PublicOptions {
  allowSignUp?: boolean;
  enableResetPassword?: boolean;
  signupForm?: { field: string; show: boolean; required: boolean }[];
}

export const authenticatorsQuery = queryOptions({
  queryKey: ['authenticators'],
  queryFn: async () => (await api.resource<Authenticator>('authenticators').list({ paginate: false, sort: ['sort', 'id'] })).data,
});

/** Reads one of these lists again. */
export function useRefresh(query: { queryKey: readonly unknown[] }): () => Promise<void> {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: query.queryKey });
}
