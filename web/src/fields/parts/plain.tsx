/** Display shared by interfaces whose value is shown as one line of text. */
import { useTranslation } from 'react-i18next';
import { isEmptyValue, type FieldInterface, type ViewProps } from '../types';

export function Nothing() {
  const { t } = useTranslation('fields');
  return (
    <span style={{ color: 'var(--mantine-color-dimmed)' }} aria-label={t('emptyValue')} role="img">
      –
    </span>
  );
}

/** Cell and view that show `text(value)`. */
export function plainDisplay(text: FieldInterface['text']) {
  function Plain({ field, value }: ViewProps) {
    const { i18n } = useTranslation();
    if (isEmptyValue(value)) return <Nothing />;
    return <>{text(value, field, i18n.language)}</>;
  }
  Plain.displayName = 'Plain';
  return Plain;
}

export function asText(value: unknown): string {
  if (isEmptyValue(value)) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

