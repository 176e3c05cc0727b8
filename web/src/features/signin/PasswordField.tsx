import { PasswordInput, type PasswordInputProps } from '@mantine/core';
import { type KeyboardEvent, type MouseEvent, type Ref, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { announce } from '../../ui/announce';

/** Password with show/hide, and a hint while caps lock is on. */
export function PasswordField({ ref, ...props }: PasswordInputProps & { ref?: Ref<HTMLInputElement> }) {
  const { t } = useTranslation('signin');
  const [capsLock, setCapsLock] = useState(false);
  // Systems report the key itself either when it goes down or when it comes up.
  const look = (event: KeyboardEvent | MouseEvent) => {
    const on = event.getModifierState('CapsLock');
    if (on && !capsLock) announce(t('capsLock'));
    setCapsLock(on);
  };
  return (
    <PasswordInput
      autoComplete="current-password"
      withAsterisk={false}
      visibilityToggleButtonProps={{ 'aria-label': t('showPassword'), 'aria-hidden': false, tabIndex: 0 }}
      inputWrapperOrder={['label', 'input', 'description', 'error']}
      {...props}
      description={capsLock ? t('capsLock') : props.description}
      onKeyDown={look}
      onKeyUp={look}
      onMouseDown={look}
      onBlur={(event) => {
        setCapsLock(false);
        props.onBlur?.(event);
      }}
      ref={ref}
    />
  );
}
