import i18next from 'i18next';
import { interfaceById } from '../../fields';
import { relativeTime } from '../../ui/time';
import type { RecordRow } from './model';

const personOf = (value: unknown): string => interfaceById('updatedBy').text(value, { name: 'updatedBy', type: 'belongsTo' }, i18next.language);

/** Who changed a record last, and when ("2 minutes ago"; undefined when it does not say). */
export function whoChanged(record: RecordRow): { name: string; when: string | undefined } {
  const { updatedBy, updatedAt } = record;
  return {
    name: personOf(updatedBy) || i18next.t('conflict.somebody', { ns: 'data' }),
    when: typeof updatedAt === 'string' ? relativeTime(updatedAt, i18next.language) : undefined,
  };
}

/** "Changed 2 minutes ago by Ben", or who made the record when nobody changed it; as far as it tells. */
export function lastTouched(record: RecordRow): string {
  const isChanged = typeof record.updatedAt === 'string' && record.updatedAt !== record.createdAt;
  const [at, by, key] = isChanged ? [record.updatedAt, record.updatedBy, 'changed'] : [record.createdAt, record.createdBy, 'made'];
  if (typeof at !== 'string') return '';
  const name = personOf(by);
  return i18next.t(`record.${name ? `${String(key)}By` : String(key)}`, { ns: 'data', when: relativeTime(at, i18next.language), name });
}
