import { type Account } from '../../app/account';
import { api } from '../../app/api';
import { boot } from '../../app/boot';
import { session } from '../../app/session';

const KEY = `oidc.${boot.app}`;

interface Begun {
  url: string;
  state: string;
  ticket: string;
}

interface Kept {
  state: string;
  ticket: string;
  /** Where the person wanted to go. */
  redirect: string;
}

export const callbackAddress = (): string => `${window.location.origin}${boot.basePath}/signin/callback`;

/** Sends the browser to a provider; it comes back to /signin/callback. */
export async function beginOidc(authenticator: string, redirect: string): Promise<void> {
  const body = { authenticator, redirectUri: callbackAddress() };
  const { url, state, ticket } = await api.call<Begun>('auth:beginOidc', { body, quiet: true });
  const kept: Kept = { state, ticket, redirect };
  sessionStorage.setItem(KEY, JSON.stringify(kept));
  window.location.assign(url);
}

/**
 * Signs in with what the provider sent the browser back with; resolves to where the person wanted to go, or to null
 * when this browser did not ask for it.
 */
export async function finishOidc(answer: { code: string; state: string }): Promise<string | null> {
  const text = sessionStorage.getItem(KEY);
  sessionStorage.removeItem(KEY);
  const kept = text ? (JSON.parse(text) as Kept) : null;
  if (kept === null || kept.state !== answer.state) return null;
  const body = { ticket: kept.ticket, ...answer };
  const { token } = await api.call<{ user: Account; token: string }>('auth:finishOidc', { body, quiet: true });
  session.start(token, true);
  return kept.redirect;
}
