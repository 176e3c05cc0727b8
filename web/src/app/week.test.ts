import { describe, expect, it, vi } from 'vitest';

import { dayName, firstDayFrom, usualFirstDay } from './week';

describe('the first day of the week', () => {
  it('is the one that was chosen, and else that of the language', () => {
    expect(firstDayFrom(6, 'en-US')).toBe(6);
    expect(firstDayFrom(undefined, 'en-US')).toBe(usualFirstDay('en-US'));
    expect(firstDayFrom('nonsense', 'zh-CN')).toBe(usualFirstDay('zh-CN'));
  });

  it('counts Sunday as the browser does, and is Monday where the browser does not know', () => {
    const locale = vi.spyOn(Intl, 'Locale');
    const tells = (info: unknown) => locale.mockImplementation(function () { return info as Intl.Locale; });
    tells({ getWeekInfo: () => ({ firstDay: 7 }) });
    expect(usualFirstDay('en-US')).toBe(0);
    tells({});
    expect(usualFirstDay('en-US')).toBe(1);
    locale.mockRestore();
  });

  it('has its name', () => {
    expect([dayName(0, 'en-US'), dayName(1, 'en-US'), dayName(6, 'en-US')]).toEqual(['Sunday', 'Monday', 'Saturday']);
  });
});
