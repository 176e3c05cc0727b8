import { describe, expect, it } from 'vitest';

import { namespaceOf } from '../../src/app/i18n';

const files = import.meta.glob<Record<string, unknown>>('/src/**/locales/*.json', { eager: true, import: 'default' });
const sources = import.meta.glob<string>(['/src/**/*.{ts,tsx}', '!/src/**/*.test.*'], {
  eager: true, query: '?raw', import: 'default',
});

/** Keys of nested texts, joined with dots. */
function keysOf(texts: Record<string, unknown>, prefix = ''): string[] {
  return Object.entries(texts).flatMap(([key, value]) =>
    typeof value === 'string' ? [`${prefix}${key}`] : keysOf(value as Record<string, unknown>, `${prefix}${key}.`),
  );
}

/** Languages have different plural forms, so only the key before the form is compared. */
const withoutPlural = (key: string) => key.replace(/_(zero|one|two|few|many|other)$/, '');
const keysIn = (path: string) => [...new Set(keysOf(files[path] ?? {}).map(withoutPlural))].sort();
const english = Object.keys(files).filter((path) => path.endsWith('/en-US.json'));

describe.each(english)('%s', (path) => {
  it('has the same keys in Chinese', () => {
    expect(keysIn(path.replace('en-US', 'zh-CN'))).toEqual(keysIn(path));
  });

  it('has no empty text in any language', () => {
    for (const file of [path, path.replace('en-US', 'zh-CN')]) {
      expect(JSON.stringify(files[file])).not.toContain('""');
    }
  });
});

it('has every text that the code asks for', () => {
  const known = new Map(english.map((path) => [namespaceOf(path), new Set(keysIn(path))]));
  const missing: string[] = [];
  for (const [path, code] of Object.entries(sources)) {
    const declared = [...code.matchAll(/useTranslation\((?:\[([^\]]*)\]|'([^']*)')?\)/g)].flatMap((match) =>
      (match[1] ?? match[2] ?? 'app').split(',').map((name) => name.trim().replaceAll("'", '')),
    );
    const namespaces = [...new Set([...declared, 'app', 'ui'])];
    for (const [, asked = ''] of code.matchAll(/\bt\('([A-Za-z][\w.:]*)'/g)) {
      const [namespace, key] = asked.includes(':') ? asked.split(':') : [undefined, asked];
      const places = namespace ? [namespace] : [...namespaces, ...known.keys()];
      if (!places.some((place) => known.get(place ?? '')?.has(key ?? ''))) missing.push(`${path}: ${asked}`);
    }
  }
  expect(missing).toEqual([]);
});
