import { actingRole } from './actingRole';
import { boot } from './boot';
import { connection } from './connection';
import { ApiError, errorOf } from './errors';
import { currentLanguage } from './language';
import { lifecycle } from './lifecycle';
import { type Session, session, sessionOf } from './session';
import { offsetOf, zone } from './zone';

export interface PageMeta {
  count?: number;
  page: number;
  pageSize: number;
  totalPage?: number;
  /** Sent instead of `count` when the server does not count. */
  hasNext?: boolean;
  /** Versions of the records by key, when they were asked for with `X-With-ETags`. */
  etags?: Record<string, string>;
}

export interface Page<T> {
  data: T[];
  meta: PageMeta;
}

export interface ListParams {
  filter?: object;
  sort?: string[];
  page?: number;
  pageSize?: number;
  paginate?: boolean;
  fields?: string[];
  appends?: string[];
  [key: string]: unknown;
}

export type Key = string | number;
export type Params = Record<string, unknown>;

export interface RequestOptions {
  method?: 'GET' | 'POST';
  params?: Params;
  /** Sent as JSON; a form as it is. */
  body?: unknown;
  signal?: AbortSignal;
  headers?: Record<string, string>;
  /** Do not open the session dialog or the waiting page on failure: the caller deals with every error. */
  quiet?: boolean;
}

interface Envelope {
  data?: unknown;
  meta?: unknown;
  /** Version of the one record that was answered. */
  etag?: string | undefined;
}

/** Names this page to the server, so that live messages about its own changes can be told from those of others. */
export const CLIENT_ID = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, '0')).join('');

const MAX_SLOW_DOWNS = 2;
const DEFAULT_SLOW_DOWN_SECONDS = 3;

/** `±HH:mm` of the person's clock, as the server expects it. */
export function timezoneOffset(now: Date = new Date()): string {
  return offsetOf(zone.get(), now);
}

/** Query string of `params`: objects and lists as JSON, undefined and null left out. */
export function encodeParams(params: Params = {}): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) {
    if (value === undefined || value === null || value === '') continue;
    if (Array.isArray(value)) {
      if (value.length > 0) query.set(key, value.join(','));
    } else {
      query.set(key, typeof value === 'object' ? JSON.stringify(value) : String(value));
    }
  }
  const text = query.toString();
  return text ? `?${text}` : '';
}

function wait(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
}

export type SlowDownListener = (seconds: number) => void;

/** The API of one app: headers, both error shapes, sign-in again, slow-down. */
export class Api {
  onSlowDown: SlowDownListener = () => undefined;

  constructor(
    private readonly base: string,
    private readonly session: Session,
    private readonly own: boolean,
  ) {}

  resource<T extends object = Record<string, unknown>>(name: string): Resource<T> {
    return new Resource<T>(this, name);
  }

  /** Calls `path` (such as `auth:check`) and returns what the envelope holds under `data`. */
  async call<T>(path: string, options: RequestOptions = {}): Promise<T> {
    return (await this.envelope(path, options)).data as T;
  }

  async envelope(path: string, options: RequestOptions = {}): Promise<Envelope> {
    const response = await this.send(path, options);
    if (response.status === 204) return {};
    const text = await response.text();
    const etag = response.headers.get('ETag') ?? undefined;
    return text ? { ...(JSON.parse(text) as Envelope), etag } : {};
  }

  /** Calls an action that answers a file. */
  async file(path: string, options: RequestOptions = {}): Promise<Blob> {
    return (await this.send(path, options)).blob();
  }

  /** Sends a form and says how much of it is on the way, from 0 to 1; fetch could not. */
  async upload<T>(path: string, form: FormData, options: { params?: Params; signal?: AbortSignal; onProgress?: (part: number) => void } = {}): Promise<T> {
    for (;;) {
      const response = await this.sendForm(path, form, options);
      if (response.ok) return ((await response.json()) as Envelope).data as T;
      const error = await errorOf(response);
      if (response.status === 401 && this.own && (await this.session.renew(error))) continue;
      throw error;
    }
  }

  private sendForm(path: string, form: FormData, { params, signal, onProgress }: { params?: Params; signal?: AbortSignal; onProgress?: (part: number) => void }): Promise<Response> {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open('POST', `${this.base}${path}${encodeParams(params)}`);
      for (const [name, value] of Object.entries(this.headers())) request.setRequestHeader(name, value);
      request.upload.onprogress = (event) => onProgress?.(event.lengthComputable ? event.loaded / event.total : 0);
      request.onerror = () => reject(new ApiError(0, [{ message: 'OFFLINE', code: 'OFFLINE' }]));
      request.onabort = () => reject(new DOMException('cancelled', 'AbortError'));
      request.onload = () => {
        const renewed = request.getResponseHeader('x-new-token');
        if (renewed) this.session.replace(renewed);
        const headers = new Headers();
        for (const name of ['X-Request-Id', 'Retry-After']) {
          const value = request.getResponseHeader(name);
          if (value) headers.set(name, value);
        }
        resolve(new Response(request.responseText, { status: request.status, headers }));
      };
      signal?.addEventListener('abort', () => request.abort());
      request.send(form);
    });
  }

  private headers(): Record<string, string> {
    const headers: Record<string, string> = {
      Accept: 'application/json',
      'X-Locale': currentLanguage(),
      'X-Timezone': timezoneOffset(),
      'X-Authenticator': 'basic',
      'X-Client-Id': CLIENT_ID,
    };
    const role = this.own ? actingRole.get() : null;
    if (role) headers['X-Role'] = role;
    const token = this.session.token;
    if (token) headers.Authorization = `Bearer ${token}`;
    return headers;
  }

  private async send(path: string, options: RequestOptions): Promise<Response> {
    let slowDowns = 0;
    for (;;) {
      const response = await this.once(path, options);
      if (response.ok) return response;
      const error = await errorOf(response);
      if (response.status === 429 && slowDowns < MAX_SLOW_DOWNS) {
        slowDowns += 1;
        const seconds = error.retryAfter ?? DEFAULT_SLOW_DOWN_SECONDS;
        this.onSlowDown(seconds);
        await wait(seconds, options.signal);
        continue;
      }
      if (options.quiet) throw error;
      // It was taken away meanwhile; what is left is found with the usual one.
      if (response.status === 401 && this.own && actingRole.get() && error.code?.startsWith('ROLE_NOT_FOUND')) {
        actingRole.forget();
        continue;
      }
      // Only this page's app has a dialog to sign in again.
      if (response.status === 401 && this.own && (await this.session.renew(error))) continue;
      if (this.own && error.maintaining) lifecycle.report(error);
      throw error;
    }
  }

  private async once(path: string, options: RequestOptions): Promise<Response> {
    const { body } = options;
    const method = options.method ?? (body === undefined ? 'GET' : 'POST');
    // Without a connection nothing is written: it would be unknown whether it was.
    if (method === 'POST' && !connection.online.get()) throw new ApiError(0, [{ message: 'offline', code: 'OFFLINE' }]);
    const isForm = body instanceof FormData;
    const headers = { ...this.headers(), ...options.headers };
    if (body !== undefined && !isForm) headers['Content-Type'] = 'application/json';
    let response: Response;
    try {
      response = await fetch(`${this.base}${path}${encodeParams(options.params)}`, {
        method,
        headers,
        // Sign-in is by header alone, so a cookie never decides who asks.
        credentials: 'same-origin',
        ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
        ...(options.signal ? { signal: options.signal } : {}),
      });
    } catch (error) {
      // fetch fails only when it was cancelled or when there is no connection.
      if (options.signal?.aborted) throw error;
      void connection.check();
      throw new ApiError(0, [{ message: (error as Error).message, code: 'OFFLINE' }]);
    }
    const renewed = response.headers.get('x-new-token');
    if (renewed) this.session.replace(renewed);
    return response;
  }
}

/** One resource of an app: `api.resource('orders').list({ page: 2 })`. */
export class Resource<T extends object> {
  constructor(
    private readonly api: Api,
    private readonly name: string,
  ) {}

  async list(params: ListParams = {}, signal?: AbortSignal, headers?: Record<string, string>): Promise<Page<T>> {
    const answer = await this.api.envelope(`${this.name}:list`, { params, signal, headers });
    const data = (answer.data ?? []) as T[];
    const meta = (answer.meta ?? { page: 1, pageSize: data.length, count: data.length }) as PageMeta;
    return { data, meta };
  }

  /** The record, or null when there is none with this key. */
  get(key: Key, params: Params = {}, signal?: AbortSignal): Promise<T | null> {
    return this.api.call(`${this.name}:get`, { params: { ...params, filterByTk: key }, signal });
  }

  create(values: object, params: Params = {}): Promise<T> {
    return this.api.call(`${this.name}:create`, { params, body: values });
  }

  update(key: Key, values: object, params: Params = {}): Promise<T> {
    return this.api.call(`${this.name}:update`, { params: { ...params, filterByTk: key }, body: values });
  }

  destroy(key: Key | Key[], params: Params = {}): Promise<unknown> {
    const filterByTk = Array.isArray(key) ? JSON.stringify(key) : key;
    return this.api.call(`${this.name}:destroy`, { method: 'POST', params: { ...params, filterByTk } });
  }

  /** Any other action; sent as POST unless `method` says otherwise. */
  action<R = unknown>(action: string, options: RequestOptions & { key?: Key } = {}): Promise<R> {
    const { key, ...rest } = options;
    return this.api.call<R>(`${this.name}:${action}`, {
      method: 'POST',
      ...rest,
      params: { ...rest.params, ...(key === undefined ? {} : { filterByTk: key }) },
    });
  }
}

/** The API of the app this page belongs to. */
export const api = new Api(boot.api, session, true);

/** The API of the entry app on this origin; from a business app it uses the sign-in kept for `main`. */
export const mainApi = boot.app === 'main' ? api : new Api('/api/', sessionOf('main'), false);
