import { describe, expect, it } from 'vitest';

import { asFile, type LogLine, merged, parseLogSearch, sentenceOf, severityOf, withNewer } from './model';

const line = (id: string, seconds: number, more: Partial<LogLine> = {}): LogLine => ({
  id, environment: 'env_a', time: `2026-01-31T12:00:0${seconds}.000+00:00`, level: 'info', app: 'shop', kind: 'system',
  message: id, fields: {}, ...more,
});
const ids = (lines: LogLine[]) => lines.map(({ id, environment }) => `${environment}/${id}`);

describe('log lines', () => {
  it('come oldest first, each once, and the oldest are given up', () => {
    const known = [line('one', 1), line('two', 2)];
    const more = [line('three', 3), line('two', 2), line('two', 2, { environment: 'env_b' })];
    expect(ids(merged(known, more, 10))).toEqual(['env_a/one', 'env_a/two', 'env_b/two', 'env_a/three']);
    expect(ids(merged(known, more, 2))).toEqual(['env_b/two', 'env_a/three']);
  });

  it('that are new are added, and a gap is left open instead of hidden', () => {
    const known = { lines: [line('one', 1), line('two', 2)], reached: null, problems: {} };
    const newer = (lines: LogLine[], reached: string | null = null) => ({ lines, reached, problems: {} });
    expect(withNewer(known, newer([line('two', 2)]), 5).lines).toBe(known.lines);
    const added = withNewer(known, newer([line('three', 3), line('two', 2)]), 5);
    expect([ids(added.lines), added.reached]).toEqual([['env_a/one', 'env_a/two', 'env_a/three'], null]);
    const cut = withNewer(known, newer([line('three', 3)]), 2);
    expect([ids(cut.lines), cut.reached]).toEqual([['env_a/two', 'env_a/three'], line('two', 2).time]);
    const gap = withNewer(known, newer([line('nine', 9), line('eight', 8)], line('eight', 8).time), 5);
    expect([ids(gap.lines), gap.reached]).toEqual([['env_a/eight', 'env_a/nine'], line('eight', 8).time]);
  });

  it('say what a request was', () => {
    const fields = { method: 'GET', path: '/api/x', status: 200, cost: 1.5 };
    expect(sentenceOf(line('a', 1, { kind: 'request', message: 'request', fields }))).toBe('GET /api/x 200 1.5 ms');
    expect(sentenceOf(line('a', 1, { kind: 'request', fields: { ...fields, status: 0 } }))).toBe('GET /api/x – 1.5 ms');
    expect(sentenceOf(line('app started', 1, { fields }))).toBe('app started');
  });

  it('have a severity', () => {
    expect(['critical', 'error', 'warning', 'info', 'debug'].map((level) => severityOf(line('a', 1, { level })))).toEqual([
      'bad', 'bad', 'warn', 'plain', 'faint',
    ]);
  });

  it('become a file of JSON lines', () => {
    const file = asFile([line('a', 1, { fields: { reqId: 'r' } }), line('b', 2)]);
    expect(file.trimEnd().split('\n').map((each) => JSON.parse(each) as unknown)).toMatchObject([
      { message: 'a', reqId: 'r', environment: 'env_a' }, { message: 'b' },
    ]);
  });
});

describe('the address', () => {
  it('holds what is looked for, and nothing unknown', () => {
    const wanted = { level: 'warn', kind: 'request', text: 'a', request: 'r', range: '1h', in: 'env_a' };
    expect(parseLogSearch({ ...wanted, more: 1 })).toEqual(wanted);
    expect(parseLogSearch({ level: 'loud', kind: 'sql', range: '2y', text: '', request: 7 })).toEqual({ request: '7' });
  });
});
