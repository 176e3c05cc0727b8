import { afterEach, describe, expect, it, vi } from 'vitest';

import { draftKey, readDraft, removeDrafts, writeDraft } from './drafts';

const KEY = draftKey(7, 'orders', 'at:1');
const DRAFT = { at: Date.now(), values: { title: 'typed' }, before: { title: 'old' }, etag: '"v1"' };

describe('a draft', () => {
  afterEach(() => vi.useRealTimers());

  it('belongs to one person and one record', () => {
    writeDraft(KEY, DRAFT);
    expect(readDraft(KEY)).toEqual(DRAFT);
    expect(readDraft(draftKey(8, 'orders', 'at:1'))).toBeNull();
    expect(readDraft(draftKey(7, 'orders', 'at:2'))).toBeNull();
  });

  it('is forgotten after a month, and when its person leaves', () => {
    writeDraft(KEY, DRAFT);
    vi.useFakeTimers({ now: Date.now() + 31 * 24 * 3_600_000 });
    expect(readDraft(KEY)).toBeNull();
    vi.useRealTimers();
    writeDraft(KEY, DRAFT);
    localStorage.setItem('other', 'stays');
    removeDrafts();
    expect(readDraft(KEY)).toBeNull();
    expect(localStorage.getItem('other')).toBe('stays');
  });
});
