import { TextInput } from '@mantine/core';
import type { Ref } from 'react';
import { useTranslation } from 'react-i18next';

interface Props {
  value: string;
  onChange: (value: string) => void;
  description?: string;
  error?: string | undefined;
  ref?: Ref<HTMLInputElement>;
}

/** The six digits of an authenticator app, or a recovery code. */
export function CodeField({ value, onChange, description, error, ref }: Props) {
  const { t } = useTranslation('signin');
  return (
    <TextInput
      ref={ref}
      label={t('code')}
      description={description}
      error={error}
      name="code"
      autoComplete="one-time-code"
      autoCapitalize="none"
      spellCheck={false}
      required
      withAsterisk={false}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
