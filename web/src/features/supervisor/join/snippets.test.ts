import { describe, expect, it } from 'vitest';

import { isAddress, JOIN_KINDS, type JoinValues, snippet, variablesOf } from './snippets';

const values: JoinValues = { kind: 'compose', name: 'env_c', url: 'https://c.example.com/', proxyUrl: 'http://c:17000', port: 17000 };

describe('how an environment is started', () => {
  it.each(JOIN_KINDS)('%s has all variables, and no value of its own for secrets', (kind) => {
    const text = snippet({ ...values, kind }, '1.2.3');
    for (const name of Object.keys(variablesOf(values))) expect(text).toContain(name);
    for (const part of ['env_c', 'https://c.example.com', 'http://c:17000', '1.2.3', 'DATABASE-PASSWORD']) {
      expect(text).toContain(part);
    }
    expect(text).not.toContain('c.example.com/');
  });

  it('names nothing that is not needed', () => {
    expect(variablesOf({ ...values, proxyUrl: '' })).not.toHaveProperty('ENVIRONMENT_PROXY_URL');
    expect(snippet({ ...values, kind: 'kubernetes' }, '1').match(/name: atoll-env-c/g)?.length).toBeGreaterThan(2);
  });

  it.each([
    ['http://a:1', true], ['https://a.example.com/', true], ['a.example.com', false], ['http://a/b', false], ['', false],
  ])('%s is an address: %s', (text, good) => expect(isAddress(text)).toBe(good));
});
