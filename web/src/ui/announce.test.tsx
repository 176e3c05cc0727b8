import { MantineProvider } from '@mantine/core';
import { act, cleanup, render } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';

import { announce, announceError, Announcements } from './announce';

afterEach(cleanup);

function regions() {
  render(
    <MantineProvider env="test">
      <Announcements />
    </MantineProvider>,
  );
  const find = (live: string) => document.querySelectorAll(`[aria-live="${live}"]`);
  return { polite: find('polite'), assertive: find('assertive') };
}

describe('Announcements', () => {
  it('has one polite and one assertive place, each with what was said there last', () => {
    const { polite, assertive } = regions();
    expect([polite.length, assertive.length]).toEqual([1, 1]);
    act(() => announce('12 results'));
    act(() => announceError('No connection'));
    act(() => announce('Saved'));
    expect(polite[0]?.textContent?.trim()).toBe('Saved');
    expect(assertive[0]?.textContent?.trim()).toBe('No connection');
  });

  it('changes the page also when the same is said again', () => {
    const { polite } = regions();
    act(() => announce('Saved'));
    const before = polite[0]?.textContent;
    act(() => announce('Saved'));
    expect(polite[0]?.textContent).not.toBe(before);
    expect(polite[0]?.textContent?.trim()).toBe('Saved');
  });
});
