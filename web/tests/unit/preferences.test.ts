import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { api } from '../../src/app/api';
import { ApiError } from '../../src/app/errors';
import { getPreference, loadPreferences, setPreference } from '../../src/app/preferences';
import { queryClient } from '../../src/app/queries';
import { session } from '../../src/app/session';

const call = vi.spyOn(api, 'call');

beforeEach(() => {
  vi.useFakeTimers();
  session.start('token', true);
  call.mockReset();
  call.mockResolvedValue([]);
});
afterEach(() => {
  session.end();
  queryClient.clear();
  vi.useRealTimers();
});

const sent = () => call.mock.calls.filter(([path]) => path === 'userPreferences:set').map(([, options]) => options?.body);

it('sends only the last value, a moment after the last change', async () => {
  setPreference('list.a', { size: 50 });
  await vi.advanceTimersByTimeAsync(500);
  setPreference('list.a', { size: 100 });
  expect(getPreference('list.a')).toEqual({ size: 100 });
  await vi.advanceTimersByTimeAsync(799);
  expect(sent()).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(sent()).toEqual([{ key: 'list.a', value: { size: 100 } }]);
});

it('takes what another device left, but not over a change that is on its way', async () => {
  call.mockResolvedValue([{ key: 'list.a', value: 1 }, { key: 'list.b', value: 2 }]);
  setPreference('list.a', 9);
  queryClient.clear();
  await loadPreferences();
  await vi.advanceTimersByTimeAsync(0);
  expect(getPreference('list.a')).toBe(9);
  await vi.waitFor(() => expect(getPreference('list.b')).toBe(2));
  await vi.advanceTimersByTimeAsync(800);
});

it('goes back to the default with null, and keeps a change until the connection is back', async () => {
  setPreference('list.a', undefined);
  call.mockRejectedValueOnce(new ApiError(0, [{ message: 'no connection' }]));
  await vi.advanceTimersByTimeAsync(800);
  expect(sent()).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(sent()).toEqual([{ key: 'list.a', value: null }, { key: 'list.a', value: null }]);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(sent()).toHaveLength(2);
});

it('starts from what this browser remembers, and forgets it when somebody signs out', () => {
  setPreference('list.a', 3);
  queryClient.clear();
  expect(getPreference('list.a')).toBe(3);
  session.end();
  expect(getPreference('list.a')).toBeUndefined();
});

it('survives what others wrote into the browser', () => {
  localStorage.setItem('atoll.preferences.main', '[1');
  expect(getPreference('list.a')).toBeUndefined();
});
