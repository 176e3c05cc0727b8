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
