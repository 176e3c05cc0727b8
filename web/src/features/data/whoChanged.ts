import i18next from 'i18next';
import { interfaceById } from '../../fields';
import { relativeTime } from '../../ui/time';
import type { RecordRow } from './model';

/** Who changed a record last, and when ("2 minutes ago"; undefined when it does not say). */
export function whoChanged(record: RecordRow): { name: string; when: string | undefined } {
  const { updatedBy, updatedAt } = record;
  const name = interfaceById('updatedBy').text(updatedBy, { name: 'updatedBy', type: 'belongsTo' }, i18next.language);
  return {
    name: name || i18next.t('conflict.somebody', { ns: 'data' }),
    when: typeof updatedAt === 'string' ? relativeTime(updatedAt, i18next.language) : undefined,
  };
}

/** "Created 3 days ago by Anna · Changed 2 minutes ago by Ben", as far as the record tells. */
export function madeAndChanged(record: RecordRow): string {
  const part = (at: unknown, by: unknown, key: 'made' | 'changed'): string[] => {
    if (typeof at !== 'string') return [];
    const name = interfaceById('updatedBy').text(by, { name: 'updatedBy', type: 'belongsTo' }, i18next.language);
    return [i18next.t(`record.${name ? `${key}By` : key}`, { ns: 'data', when: relativeTime(at, i18next.language), name })];
  };
  const changed = record.updatedAt === record.createdAt ? [] : part(record.updatedAt, record.updatedBy, 'changed');
  return [...part(record.createdAt, record.createdBy, 'made'), ...changed].join(' · ');
}
