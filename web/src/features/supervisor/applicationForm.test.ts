import { describe, expect, it } from 'vitest';

import { createBody, likeApp, valuesOf } from './applicationForm';
import type { AppRow } from './model';

const app: AppRow = {
  name: 'crm', displayName: 'CRM', icon: '/api/applications:icon/crm?v=1', cname: 'crm.example.com', pinned: true, sort: 3,
  status: 'running', environments: ['env_a'],
  options: {
    autoStart: true, dbConnType: 'new_connection', description: 'Customers', hidden: true,
    database: { dialect: 'postgres', host: 'db', port: 5433, database: 'crm', username: 'ann', password: '********', schema: 's' },
    authManager: { jwt: { secret: '********' } },
  },
};

describe('an app like another one', () => {
  it('has its settings, and nothing that must be its own', () => {
    const body = JSON.stringify(createBody({ ...likeApp(app, 'CRM copy'), name: 'crm_copy' }, true, 'en-US'));
    for (const kept of ['env_a', '"autoStart":true', '"host":"db"', '5433', '"username":"ann"', 'Customers', '"hidden":true']) {
      expect(body).toContain(kept);
    }
    for (const own of ['crm.example.com', '"database":"crm"', '"schema"', '****', 'applications:icon', '"pinned":true', '"sort"']) {
      expect(body).not.toContain(own);
    }
  });

  it('is no other form than that of an app that exists', () => {
    expect(Object.keys(likeApp(app, '')).sort()).toEqual(Object.keys(valuesOf(app)).sort());
  });
});
