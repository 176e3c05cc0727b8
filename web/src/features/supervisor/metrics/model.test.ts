import { describe, expect, it } from 'vitest';

import { isEmpty, linesOf, type MetricsAnswer, shown, timeOf, topOf, valueText } from './model';

const answer: MetricsAnswer = {
  seconds: 50,
  lastSeconds: 12.5,
  begins: '2026-01-31T12:00:00.000+00:00',
  series: { requests: [null, 5, 2], errors: [null, 1, 0], p95: [null, 12.5, null], memory: [null, 1e6, 2e6] },
};

describe('figures over time', () => {
  it('are shown per minute, where they are known', () => {
    expect(shown(answer).requests).toEqual([null, 6, 9.6]);
    expect(shown(answer).errors).toEqual([null, 1.2, 0]);
    expect(shown(answer).p95).toBe(answer.series.p95);
    expect(isEmpty(answer)).toBe(false);
    expect(isEmpty({ ...answer, series: { requests: [null], errors: [null], p95: [null], memory: [null] } })).toBe(true);
    expect(timeOf(answer, 2).toISOString()).toBe('2026-01-31T12:01:40.000Z');
  });

  it.each([
    [[null, 0], 1],
    [[0.3], 0.5],
    [[1], 1],
    [[21, 3], 25],
    [[99], 100],
    [[101], 200],
  ])('have a round scale: %j', (values, top) => expect(topOf(values)).toBeCloseTo(top));

  it('are lines with gaps', () => {
    expect(linesOf([0, 1, null, 2, 3], 2)).toEqual([[[0, 1], [0.25, 0.5]], [[0.75, 0], [1, 0]]]);
  });

  it('have units', () => {
    expect(valueText('p95', 0.25, 'en-US')).toBe('0.25 ms');
    expect(valueText('p95', 1500, 'en-US')).toBe('1.5 sec');
    expect(valueText('requests', 1234.5, 'en-US')).toBe('1,235');
    expect(valueText('memory', 2.5e8, 'en-US')).toBe('250 MB');
    expect(valueText('memory', null, 'en-US')).toBe('–');
  });
});
