import i18next from 'i18next';
import { beforeAll, describe, expect, it } from 'vitest';
import { startTranslations } from '../../app/i18n';
import { lastTouched } from './whoChanged';

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

describe('the last that happened to a record', () => {
  beforeAll(async () => {
    await startTranslations();
    await i18next.loadNamespaces('data');
  });

  it('is its change, else its making, as far as the record tells', () => {
    const made = minutesAgo(120);
    const people = { createdBy: { nickname: 'Anna' }, updatedBy: { nickname: 'Ben' } };
    expect(lastTouched({ createdAt: made, updatedAt: minutesAgo(3), ...people })).toBe('Changed 3 minutes ago by Ben');
    expect(lastTouched({ createdAt: made, updatedAt: made, ...people })).toBe('Created 2 hours ago by Anna');
    expect(lastTouched({ updatedAt: minutesAgo(3) })).toBe('Changed 3 minutes ago');
    expect(lastTouched({})).toBe('');
  });
});
