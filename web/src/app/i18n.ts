import i18next, { type BackendModule, type ReadCallback } from 'i18next';
import { initReactI18next } from 'react-i18next';

import { currentLanguage, type Language, LANGUAGES, rememberLanguage } from './language';

/** Every `locales/<language>.json` is one namespace, named after the folder that holds `locales`. */
const FILES = import.meta.glob<{ default: Record<string, unknown> }>('/src/**/locales/*.json');
const SHORT_NAMES: Record<string, string> = { DataGrid: 'grid', FilterBuilder: 'filter' };

export function namespaceOf(path: string): string {
  const folder = path.split('/').at(-3) ?? '';
  return SHORT_NAMES[folder] ?? folder;
}

const loaders = new Map(
  Object.entries(FILES).map(([path, load]) => {
    const language = path.split('/').at(-1)?.replace('.json', '') ?? '';
    return [`${language}/${namespaceOf(path)}`, load];
  }),
);

const backend: BackendModule = {
  type: 'backend',
  init: () => undefined,
  read(language: string, namespace: string, done: ReadCallback) {
    const load = loaders.get(`${language}/${namespace}`);
    if (!load) {
      done(new Error(`no translations for ${namespace} in ${language}`), null);
      return;
    }
    load().then(
      (file) => done(null, file.default),
      (error: Error) => done(error, null),
    );
  },
};

function applyToDocument(language: string): void {
  document.documentElement.lang = language;
  document.documentElement.dir = i18next.dir(language);
}

/** Loads the texts of the shell; other namespaces follow with the screens that use them. */
export async function startTranslations(): Promise<void> {
  i18next.on('languageChanged', applyToDocument);
  await i18next
    .use(backend)
    .use(initReactI18next)
    .init({
      lng: currentLanguage(),
      // Every language has every text (a test compares them), so the others are not loaded too.
      fallbackLng: false,
      supportedLngs: Object.keys(LANGUAGES),
      ns: ['app', 'ui'],
      defaultNS: 'app',
      fallbackNS: ['app', 'ui'],
      interpolation: { escapeValue: false },
      returnNull: false,
    });
}

/** Shows every text in `language` at once, and remembers it in this browser. */
export async function switchLanguage(language: Language): Promise<void> {
  rememberLanguage(language);
  await i18next.changeLanguage(language);
}
