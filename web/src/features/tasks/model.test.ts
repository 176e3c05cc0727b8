import { describe, expect, it } from 'vitest';
import { newer, percentOf, roughly, type Task } from './model';

const task = (patch: Partial<Task>): Task => ({
  id: '1', type: 'export', title: '', origin: '', params: {}, status: 0, result: null, cancelable: true, progressTotal: 10,
  progressCurrent: 0, remainingSeconds: null, createdAt: '', startedAt: null, doneAt: null, ...patch,
});

describe('newer', () => {
  it('never goes back to a state that is past', () => {
    expect(newer(task({ status: 1 }), task({ status: 0 })).status).toBe(1);
    expect(newer(task({ progressCurrent: 5 }), task({ progressCurrent: 3 })).progressCurrent).toBe(5);
    expect(newer(task({ status: null }), task({ status: 0 })).status).toBe(0);
    expect(newer(task({ progressCurrent: 5 }), task({ status: 1, progressCurrent: 3 })).status).toBe(1);
  });

  it('keeps the reason only while the task waits', () => {
    const waiting = task({ status: null, waitingReason: 'nobody' });
    expect(newer(waiting, task({ status: null })).waitingReason).toBe('nobody');
    expect(newer(waiting, task({ status: 0 })).waitingReason).toBeNull();
  });
});

describe('percentOf and roughly', () => {
  it('say what people understand', () => {
    expect(percentOf(task({ progressTotal: null }))).toBeNull();
    expect(percentOf(task({ progressCurrent: 12 }))).toBe(100);
    expect(roughly(0.2)).toEqual({ unit: 'second', value: 1 });
    expect(roughly(119)).toEqual({ unit: 'minute', value: 2 });
    expect(roughly(7200)).toEqual({ unit: 'hour', value: 2 });
  });
});
