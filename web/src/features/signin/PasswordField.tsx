import { PasswordInput, type PasswordInputProps } from '@mantine/core';
import { type Ref, useState } from 'react';
import { useTranslation } from 'react-i18next';

/** Password with show/hide, and a hint while caps lock is on. */
export function PasswordField({ ref, ...props }: PasswordInputProps & { ref?: Ref<HTMLInputElement> }) {
  const { t } = useTranslation('signin');
  const [capsLock, setCapsLock] = useState(false);
  return (
    <PasswordInput
      autoComplete="current-password"
      withAsterisk={false}
      visibilityToggleButtonProps={{ 'aria-label': t('showPassword'), 'aria-hidden': false, tabIndex: 0 }}
      description={capsLock ? t('capsLock') : undefined}
      inputWrapperOrder={['label', 'input', 'description', 'error']}
      onKeyUp={(event) => setCapsLock(event.getModifierState('CapsLock'))}
      {...props}
      ref={ref}
    />
  );
}
