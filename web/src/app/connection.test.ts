import { afterEach, describe, expect, it, vi } from 'vitest';

import { Connection } from './connection';

describe('the connection', () => {
  afterEach(() => vi.useRealTimers());

  it('is lost when the server does not answer, and asks until it does', async () => {
    vi.useFakeTimers();
    const answers = [false, false, true];
    const ask = vi.fn(() => Promise.resolve(answers.shift() ?? true));
    const connection = new Connection(ask);
    await connection.check();
    expect(connection.online.get()).toBe(false);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(connection.online.get()).toBe(false);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(connection.online.get()).toBe(true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ask).toHaveBeenCalledTimes(3);
  });

  it('asks once when many requests fail at the same time', async () => {
    const ask = vi.fn(() => Promise.resolve(true));
    const connection = new Connection(ask);
    await Promise.all([connection.check(), connection.check(), connection.check()]);
    expect(ask).toHaveBeenCalledTimes(1);
    expect(connection.online.get()).toBe(true);
  });
});
