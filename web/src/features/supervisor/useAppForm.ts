import { useForm, type UseFormReturnType } from '@mantine/form';
import { useTranslation } from 'react-i18next';

import { ApiError } from '../../app/errors';
import { type AppValues, fieldOf, isFreeName, NAME_PATTERN, SECRET_LENGTH } from './applicationForm';
import type { Finding } from './model';

export type AppForm = UseFormReturnType<AppValues>;

interface Options {
  initial: AppValues;
  /** Ids that exist already; empty when an existing app is edited. */
  taken: string[];
  creating: boolean;
}

export function useAppForm({ initial, taken, creating }: Options): AppForm {
  const { t } = useTranslation('supervisor');
  const needed = (value: string) => (value.trim() ? null : t('form.needed'));
  const onlyFor = (applies: (values: AppValues) => boolean) => (value: string, values: AppValues) =>
    creating && applies(values) ? needed(value) : null;
  const postgres = onlyFor((values) => values.mode === 'new_connection' && values.dialect === 'postgres');
  const ownAdmin = onlyFor((values) => values.adminMode === 'own');
  return useForm<AppValues>({
    initialValues: initial,
    validateInputOnBlur: true,
    validate: {
      displayName: needed,
      name: (value) => {
        if (!creating) return null;
        if (!NAME_PATTERN.test(value)) return t('form.nameRule');
        return isFreeName(value, taken) ? null : t('form.nameTaken');
      },
      environments: (value) => (value.length === 0 ? t('form.environmentNeeded') : null),
      host: postgres,
      database: postgres,
      username: postgres,
      storage: onlyFor((values) => values.mode === 'new_connection' && values.dialect === 'sqlite'),
      secret: (value) => (value && value.length < SECRET_LENGTH ? t('form.secretRule', { count: SECRET_LENGTH }) : null),
      adminUsername: ownAdmin,
      adminPassword: ownAdmin,
    },
  });
}

/** What the server objects to, whether as the answer of a check or as an error. */
export function findingsOf(error: unknown): Finding[] {
  if (!(error instanceof ApiError)) throw error;
  return error.items.map((item) => ({
    code: item.code ?? `HTTP ${error.status}`,
    message: item.message,
    remedy: item.remedy ?? null,
    field: item.field ?? null,
  }));
}

/** Puts findings on their inputs; those without one are only in the summary. */
export function showFindings(form: AppForm, findings: Finding[]): void {
  for (const finding of findings) {
    const field = fieldOf(finding);
    if (field) form.setFieldError(field, finding.message);
  }
}
