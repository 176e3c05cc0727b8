import { describe, expect, it } from 'vitest';

import { createBody, fieldOf, freeNameFrom, NAME_PATTERN, nameFrom, NEW_APP, randomName, updateBody, valuesOf } from '../../src/features/supervisor/applicationForm';
import { iconKind } from '../../src/features/supervisor/AppIcon';
import { beatStates } from '../../src/features/supervisor/BeatStrip';
import { leastLoaded } from '../../src/features/supervisor/EnvironmentPicker';
import { actionsFor, addressOf, type AppRow, byPlace, isTransitional, statusCounts } from '../../src/features/supervisor/model';
import { checkFile } from '../../src/ui/picture';

const row = (more: Partial<AppRow>): AppRow => ({ name: 'crm', status: 'running', ...more });

describe('application id', () => {
  it.each([
    ['Customer Relations', 'customer_relations'],
    ['Übersicht & Pläne', 'ubersicht_plane'],
    ['2026 Budget', 'budget'],
    ['A very long title that goes on and on and on', 'a_very_long_title_that_goes_on_a'],
    ['X', 'x_app'],
    ['', ''],
  ])('comes from the title: %s', (title, name) => {
    expect(nameFrom(title, 'a_fallback')).toBe(name);
  });

  it('is random, and allowed, where the title has no Latin letters', () => {
    expect(nameFrom('客户关系', randomName(() => 0))).toBe('a_aaaaaaaa');
    expect(randomName()).toMatch(NAME_PATTERN);
  });
});

describe('bodies', () => {
  const filled = { ...NEW_APP, displayName: ' CRM ', name: 'crm', environments: ['env_a'] };

  it('creates with what the form says, and no database block unless it is another server', () => {
    expect(createBody(filled, true, 'en-US')).toEqual({
      name: 'crm',
      displayName: 'CRM',
      icon: null,
      cname: null,
      pinned: false,
      environments: ['env_a'],
      start: true,
      options: {
        autoStart: false,
        hidden: false,
        showInSwitcher: true,
        description: '',
        lang: 'en-US',
        dbConnType: 'new_database',
        admin: { copyCaller: true },
      },
    });
  });

  it('sends the connection and the own administrator where chosen', () => {
    const body = createBody(
      {
        ...filled,
        mode: 'new_connection',
        host: 'db ',
        port: 5433,
        database: 'crm',
        username: 'u',
        password: 'p',
        adminMode: 'own',
        adminUsername: 'eve',
        adminPassword: 'secret',
      },
      false,
      'en-US',
    );
    expect(body).toMatchObject({
      start: false,
      options: {
        dbConnType: 'new_connection',
        database: { dialect: 'postgres', host: 'db', port: 5433, database: 'crm', username: 'u', password: 'p' },
        admin: { username: 'eve', email: '', password: 'secret' },
      },
    });
  });

  it('asks for a template only where one is chosen', () => {
    expect(createBody({ ...filled, template: 'crm' }, true, 'zh-CN')).toMatchObject({ options: { template: 'crm', lang: 'zh-CN' } });
  });

  it('leaves the first account to the environment on request', () => {
    expect(createBody({ ...filled, adminMode: 'environment' }, true, 'en-US')).not.toHaveProperty('options.admin');
  });

  it('never sends back a masked password or an unchanged secret', () => {
    const app = row({ options: { database: { password: '••••' }, authManager: { jwt: { secret: '••••' } } } });
    const values = valuesOf(app);
    expect([values.password, values.secret]).toEqual(['', '']);
    expect(JSON.stringify(updateBody(values))).not.toContain('••••');
  });
});

it('finds the input a finding is about', () => {
  const field = (path: string) => fieldOf({ code: 'X', message: '', field: path });
  expect(field('name')).toBe('name');
  expect(field('options.database.host')).toBe('host');
  expect(field('options.admin.password')).toBe('adminPassword');
  expect(field('something.else')).toBeUndefined();
  expect(fieldOf({ code: 'X', message: '' })).toBeUndefined();
});

it('offers only what can be done in a state', () => {
  expect(actionsFor('running')).toEqual({ open: true, start: false, stop: true, restart: true });
  expect(actionsFor('stopped')).toEqual({ open: false, start: true, stop: false, restart: false });
  expect(actionsFor('initialized')).toMatchObject({ open: true, start: true });
  expect(actionsFor('unknown')).toEqual({ open: false, start: false, stop: false, restart: false });
});

it('counts states over environments, and knows when something changes', () => {
  const mixed = row({ statuses: { a: 'running', b: 'error', c: 'running' } });
  expect(statusCounts(mixed)).toEqual([['running', 2], ['error', 1]]);
  expect(isTransitional(mixed)).toBe(false);
  expect(isTransitional(row({ statuses: { a: 'running', b: 'initializing' } }))).toBe(true);
});

it('sorts pinned apps first, then by order, then by title', () => {
  const rows = [row({ name: 'c', sort: 1 }), row({ name: 'b', displayName: 'A', sort: 2 }), row({ name: 'a', sort: 2, displayName: 'B' }), row({ name: 'z', pinned: true, sort: 9 })];
  expect([...rows].sort(byPlace).map(({ name }) => name)).toEqual(['z', 'c', 'b', 'a']);
});

it('opens an app at its own domain when it has one', () => {
  expect(addressOf(row({}))).toBe('/apps/crm/admin');
  expect(addressOf(row({ cname: 'crm.example.com' }))).toMatch(/^https?:\/\/crm\.example\.com\/$/);
});

it('proposes the healthy environment with the fewest apps', () => {
  const environment = (name: string, status: 'online' | 'offline', total: number) => ({ name, status, apps: { running: 0, total } });
  expect(leastLoaded([environment('a', 'online', 4), environment('b', 'online', 2), environment('c', 'offline', 0)])?.name).toBe('b');
  expect(leastLoaded([environment('c', 'offline', 0)])).toBeUndefined();
});

it('tells late and missed beats by the usual time between two', () => {
  const at = (...seconds: number[]) => seconds.map((second) => new Date(second * 1000).toISOString());
  expect(beatStates(at(0, 10, 20, 40, 50, 90, 100))).toEqual(['good', 'good', 'good', 'late', 'good', 'missed', 'good']);
  expect([beatStates([]), beatStates(at(5))]).toEqual([[], ['good']]);
});

describe('ids', () => {
  it('are made free by a number that fits', () => {
    expect(freeNameFrom('CRM', [])).toBe('crm');
    expect(freeNameFrom('CRM', ['crm', 'crm_2'])).toBe('crm_3');
    expect(freeNameFrom('a'.repeat(40), ['a'.repeat(32)])).toHaveLength(32);
  });
});

describe('icons', () => {
  it('are pictures, colours or signs', () => {
    expect(iconKind('/api/applications:icon/crm?v=1')).toEqual({ picture: '/api/applications:icon/crm?v=1' });
    expect(iconKind('hue:120')).toEqual({ hue: 120 });
    expect(iconKind(' 🦜 ')).toEqual({ sign: '🦜' });
    expect(iconKind('')).toEqual({});
  });

  it('are refused by type and size before anything is read', () => {
    expect(() => checkFile({ type: 'image/svg+xml', size: 10 })).toThrow('picture.type');
    expect(() => checkFile({ type: 'image/png', size: 6_000_000 })).toThrow('picture.size');
    expect(() => checkFile({ type: 'image/png', size: 10 })).not.toThrow();
  });
});
