import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Api, encodeParams, timezoneOffset } from '../../src/app/api';
import { connection } from '../../src/app/connection';
import { ApiError } from '../../src/app/errors';
import { lifecycle } from '../../src/app/lifecycle';
import { Session } from '../../src/app/session';

interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
}

let server: Server;
let seen: { url: string; method: string; headers: IncomingMessage['headers']; body: string }[];
let answers: Answer[];
let session: Session;
let api: Api;

function respond(request: IncomingMessage, response: ServerResponse): void {
  let body = '';
  request.on('data', (chunk: Buffer) => {
    body += chunk.toString();
  });
  request.on('end', () => {
    seen.push({ url: request.url ?? '', method: request.method ?? '', headers: request.headers, body });
    const answer = answers.shift() ?? { body: { data: null } };
    response.writeHead(answer.status ?? 200, { 'Content-Type': 'application/json', ...answer.headers });
    response.end(answer.body === undefined ? '' : JSON.stringify(answer.body));
  });
}

beforeEach(async () => {
  seen = [];
  answers = [];
  server = createServer(respond);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  session = new Session('crm');
  const { port } = server.address() as AddressInfo;
  api = new Api(`http://127.0.0.1:${port}/api/__app/crm/`, session, true);
});

afterEach(async () => {
  lifecycle.clear();
  await new Promise((resolve) => server.close(resolve));
});

describe('requests', () => {
  it('lists with filter, sort and page, and reads rows and meta', async () => {
    answers = [{ body: { data: [{ id: 3 }], meta: { count: 7, page: 2, pageSize: 1, totalPage: 7 } } }];
    const page = await api.resource<{ id: number }>('orders').list({ filter: { code: { $eq: 'A' } }, sort: ['-id', 'code'], page: 2 });
    expect(page).toEqual({ data: [{ id: 3 }], meta: { count: 7, page: 2, pageSize: 1, totalPage: 7 } });
    const url = new URL(seen[0]!.url, 'http://x');
    expect(url.pathname).toBe('/api/__app/crm/orders:list');
    expect(JSON.parse(url.searchParams.get('filter')!)).toEqual({ code: { $eq: 'A' } });
    expect(url.searchParams.get('sort')).toBe('-id,code');
    expect(url.searchParams.get('page')).toBe('2');
  });

  it('sends language, time zone, authenticator and the token of this app only', async () => {
    new Session('main').start('other', true);
    await api.call('auth:check');
    expect(seen[0]!.headers.authorization).toBeUndefined();
    session.start('abc', true);
    await api.call('auth:check');
    expect(seen[1]!.headers).toMatchObject({
      authorization: 'Bearer abc',
      'x-authenticator': 'basic',
      'x-timezone': timezoneOffset(),
    });
    expect(seen[1]!.headers['x-locale']).toMatch(/^(en-US|zh-CN)$/);
  });

  it('creates, updates and destroys by key', async () => {
    const orders = api.resource('orders');
    await orders.create({ code: 'B' });
    await orders.update(4, { code: 'C' });
    await orders.destroy([4, 5]);
    expect(seen.map(({ method }) => method)).toEqual(['POST', 'POST', 'POST']);
    expect(JSON.parse(seen[0]!.body)).toEqual({ code: 'B' });
    expect(seen[1]!.url).toContain('orders:update?filterByTk=4');
    expect(new URL(seen[2]!.url, 'http://x').searchParams.get('filterByTk')).toBe('[4,5]');
  });

  it('keeps a renewed token', async () => {
    session.start('old', true);
    answers = [{ headers: { 'x-new-token': 'new', 'Access-Control-Expose-Headers': 'x-new-token' }, body: { data: 1 } }];
    await api.call('auth:check');
    expect(session.token).toBe('new');
  });

  it('gives null for a missing record and nothing for an empty answer', async () => {
    answers = [{ body: { data: null } }, { body: {} }];
    expect(await api.resource('orders').get(9)).toBeNull();
    expect(await api.call('auth:signOut', { method: 'POST' })).toBeUndefined();
  });
});

describe('failures', () => {
  it('reads errors of an app', async () => {
    answers = [{ status: 400, headers: { 'X-Request-Id': 'r1' }, body: { errors: [{ message: 'Code already exists' }, { message: 'B' }] } }];
    const error = (await api.resource('orders').create({}).catch((problem: unknown) => problem)) as ApiError;
    expect(error).toBeInstanceOf(ApiError);
    expect(error.status).toBe(400);
    expect(error.message).toBe('Code already exists');
    expect(error.items).toHaveLength(2);
  });

  it('reads the error of the gateway and shows the waiting page', async () => {
    answers = [{ status: 503, body: { error: { code: 'APP_INITIALIZING', status: 503, maintaining: true, message: 'crm is starting' } } }];
    await expect(api.call('users:list')).rejects.toMatchObject({ code: 'APP_INITIALIZING', maintaining: true });
    expect(lifecycle.maintenance.get()).toMatchObject({ code: 'APP_INITIALIZING', message: 'crm is starting' });
  });

  it('leaves the waiting page alone when the caller asks itself', async () => {
    answers = [{ status: 503, body: { error: { code: 'APP_STOPPED', maintaining: true, message: 'stopped' } } }];
    await expect(api.call('app:getInfo', { quiet: true })).rejects.toMatchObject({ code: 'APP_STOPPED' });
    expect(lifecycle.maintenance.get()).toBeNull();
  });

  it('repeats a request after signing in again, with one prompt for all', async () => {
    session.start('old', true);
    answers = [
      { status: 401, body: { errors: [{ message: 'ended', code: 'EXPIRED_SESSION' }] } },
      { status: 401, body: { errors: [{ message: 'ended', code: 'EXPIRED_SESSION' }] } },
      { body: { data: 'a' } },
      { body: { data: 'b' } },
    ];
    let prompts = 0;
    session.prompt.subscribe((prompt) => {
      if (!prompt) return;
      prompts += 1;
      // Both requests have failed before the person has typed the password.
      const check = setInterval(() => {
        if (seen.length < 2) return;
        clearInterval(check);
        session.start('fresh', true);
        prompt.settle(true);
      }, 5);
    });
    const both = await Promise.all([api.call('a:list'), api.call('b:list')]);
    expect([...both].sort()).toEqual(['a', 'b']);
    expect(prompts).toBe(1);
    expect(seen.at(-1)!.headers.authorization).toBe('Bearer fresh');
  });

  it('gives up after a 401 without a session', async () => {
    answers = [{ status: 401, body: { errors: [{ message: 'Sign in', code: 'EMPTY_TOKEN' }] } }];
    await expect(api.call('auth:check')).rejects.toMatchObject({ status: 401, code: 'EMPTY_TOKEN' });
  });

  it('waits as long as the server asks and repeats after a 429', async () => {
    answers = [
      { status: 429, headers: { 'Retry-After': '0.01' }, body: { errors: [{ message: 'slow down' }] } },
      { body: { data: 'done' } },
    ];
    const waits: number[] = [];
    api.onSlowDown = (seconds) => waits.push(seconds);
    expect(await api.call('orders:list')).toBe('done');
    expect(waits).toEqual([0.01]);
  });

  it('says when there is no connection', async () => {
    const lost = new Api('http://127.0.0.1:1/api/', session, true);
    await expect(lost.call('app:getInfo')).rejects.toMatchObject({ status: 0, offline: true });
  });

  it('turns a plain 404 into its text', async () => {
    answers = [{ status: 404, headers: { 'Content-Type': 'text/plain' } }];
    await expect(api.call('nothing:list')).rejects.toMatchObject({ status: 404 });
  });
});

it('encodes objects as JSON, lists with commas, and leaves out nothingness', () => {
  expect(encodeParams({ a: { x: 1 }, b: ['p', 'q'], c: undefined, d: null, e: '', f: false, g: [] })).toBe(
    '?a=%7B%22x%22%3A1%7D&b=p%2Cq&f=false',
  );
});

it('writes nothing without a connection, and asks for nothing in vain', async () => {
  connection.online.set(false);
  await expect(api.call('orders:create', { body: {} })).rejects.toMatchObject({ offline: true });
  expect(seen).toEqual([]);
  connection.online.set(true);
});
