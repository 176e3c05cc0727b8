import { boot } from './boot';
import { readStored, writeStored } from './storage';

export const LANGUAGES = { 'en-US': 'English', 'zh-CN': '简体中文' } as const;
export type Language = keyof typeof LANGUAGES;

const KEY = 'atoll.language';

function known(value: string | null | undefined): Language | null {
  if (!value) return null;
  const names = Object.keys(LANGUAGES) as Language[];
  const short = value.toLowerCase().split(/[-_]/)[0] ?? '';
  return names.find((name) => name === value) ?? names.find((name) => name.split('-')[0] === short) ?? null;
}

/** The person's choice, else the browser's first known language, else the app's. */
export function currentLanguage(): Language {
  const wished = navigator.languages.map(known).find((value) => value !== null);
  return known(readStored(KEY)) ?? wished ?? known(boot.lang) ?? 'en-US';
}

export function rememberLanguage(language: Language): void {
  writeStored(KEY, language);
}
