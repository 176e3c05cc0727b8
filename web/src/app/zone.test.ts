import { afterEach, describe, expect, it } from 'vitest';

import { formatInstant, parseInstant, toInstant, toLocal } from '../fields/parts/moments';
import { timezoneOffset } from './api';
import { offsetOf, ownZone, zone } from './zone';

const field = { name: 'at', type: 'date' };

describe('the time zone', () => {
  afterEach(() => zone.choose(null));

  it('is that of this computer until one is chosen that the browser knows', () => {
    expect(zone.get()).toBe(ownZone());
    zone.choose('Atlantis/Capital');
    expect(zone.get()).toBe(ownZone());
    zone.choose('Asia/Kolkata');
    expect(zone.get()).toBe('Asia/Kolkata');
    expect(timezoneOffset()).toBe('+05:30');
  });

  it('has an offset that follows summer time', () => {
    expect(offsetOf('America/Los_Angeles', new Date('2026-01-15T12:00:00Z'))).toBe('-08:00');
    expect(offsetOf('America/Los_Angeles', new Date('2026-07-15T12:00:00Z'))).toBe('-07:00');
    expect(offsetOf('UTC')).toBe('+00:00');
  });

  it('is that of moments that are shown and typed', () => {
    zone.choose('America/Los_Angeles');
    expect(toLocal('2026-01-15T02:00:00Z')).toBe('2026-01-14 18:00:00');
    expect(toInstant('2026-07-14 18:00:00')).toBe('2026-07-15T01:00:00.000Z');
    expect(parseInstant('2026-01-14 18:00')).toBe('2026-01-15T02:00:00.000Z');
    expect(formatInstant('2026-01-15T02:00:00Z', field, 'en-US')).toMatch(/Jan 14, 2026, 6:00\sPM/);
  });
});
