import i18next from 'i18next';
import { interfaceOf, isEmptyValue, isRequired, type FieldMeta } from '../../fields';
import { fieldTitle } from './model';

/** What is wrong with a value, in words; null when it can be sent. */
export function fieldProblem(field: FieldMeta, value: unknown): string | null {
  const kind = interfaceOf(field);
  // The server makes an identifier that was left empty.
  if (isRequired(field) && isEmptyValue(value) && kind.id !== 'uuid') return i18next.t('required', { ns: 'fields', title: fieldTitle(field) });
  const wrong = kind.check?.(value, field);
  return wrong ? i18next.t(wrong, { ns: 'fields' }) : null;
}
