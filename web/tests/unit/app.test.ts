import { describe, expect, it } from 'vitest';

import { readBoot } from '../../src/app/boot';
import { namespaceOf } from '../../src/app/i18n';
import { Session } from '../../src/app/session';
import { retryDelay } from '../../src/app/ws';
import { safeRedirect } from '../../src/features/signin/redirect';
import { bytes, duration, percent } from '../../src/features/supervisor/format';
import { relativeTime } from '../../src/ui/time';

function documentWith(boot: string): Document {
  return new DOMParser().parseFromString(`<script type="application/json" id="boot">${boot}</script>`, 'text/html');
}

describe('boot', () => {
  it('reads what the server wrote', () => {
    const given = { app: 'crm', basePath: '/apps/crm', api: '/api/__app/crm/', ws: '/ws?__appName=crm', build: 'b1', lang: 'zh-CN', title: 'CRM' };
    expect(readBoot(documentWith(JSON.stringify(given)))).toEqual(given);
  });

  it('takes the main app where the server wrote nothing', () => {
    expect(readBoot(documentWith(''))).toMatchObject({ app: 'main', basePath: '', api: '/api/', ws: '/ws' });
  });
});

describe('session', () => {
  it('keeps the tokens of two apps apart', () => {
    const crm = new Session('crm');
    const shop = new Session('shop');
    crm.start('one', true);
    shop.start('two', true);
    crm.end();
    expect([crm.token, shop.token]).toEqual([null, 'two']);
  });

  it('forgets with the tab unless asked to remember, also after a renewal', () => {
    const crm = new Session('crm');
    crm.start('one', false);
    crm.replace('renewed');
    expect(localStorage.getItem('auth.crm.token')).toBeNull();
    expect(sessionStorage.getItem('auth.crm.token')).toBe('renewed');
  });
});

it('waits longer from attempt to attempt, but never endlessly', () => {
  expect(retryDelay(0, () => 0)).toBe(250);
  expect(retryDelay(0, () => 1)).toBe(500);
  expect(retryDelay(30, () => 1)).toBe(20_000);
});

it.each([
  ['/admin/apps?q=1', '/admin/apps?q=1'],
  ['https://evil.example', undefined],
  ['//evil.example', undefined],
  ['/\\evil.example', undefined],
  ['/signin?redirect=/x', undefined],
  [7, undefined],
])('redirects after sign-in only inside the UI: %s', (given, expected) => {
  expect(safeRedirect(given)).toBe(expected);
});

it('names namespaces after the folder', () => {
  expect(namespaceOf('/src/features/supervisor/locales/en-US.json')).toBe('supervisor');
  expect(namespaceOf('/src/ui/DataGrid/locales/en-US.json')).toBe('grid');
});

it('tells times, sizes and shares in the language', () => {
  const now = Date.UTC(2026, 10, 22, 12, 0, 0);
  expect(relativeTime(now - 14_000, 'en-US', now)).toBe('14 seconds ago');
  expect(relativeTime(now - 3 * 86_400_000, 'en-US', now)).toBe('3 days ago');
  expect(relativeTime(now - 60_000, 'zh-CN', now)).toBe('1分钟前');
  expect(bytes(312_000_000, 'en-US')).toBe('312 MB');
  expect(bytes(1_500, 'en-US')).toBe('1.5 kB');
  expect(percent(0.124, 'en-US')).toBe('12%');
  expect([85, 1_240, 190_000].map((value) => duration(value, 'en-US'))).toEqual(['85 ms', '1.2 sec', '3.2 min']);
});
