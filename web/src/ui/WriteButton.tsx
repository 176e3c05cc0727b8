import { Button, type ButtonProps, Tooltip } from '@mantine/core';
import type { MouseEventHandler, ReactNode, Ref } from 'react';
import { useTranslation } from 'react-i18next';

import { useOnline } from '../app/connection';

interface Props extends ButtonProps {
  onClick: MouseEventHandler<HTMLButtonElement>;
  children: ReactNode;
  ref?: Ref<HTMLButtonElement>;
}

/** A button that changes something: without a connection it stays where it is and says why it does nothing. */
export function WriteButton({ onClick, ...props }: Props) {
  const { t } = useTranslation('ui');
  const online = useOnline();
  return (
    <Tooltip label={t('offline.reason')} disabled={online}>
      <Button
        {...props}
        // Not `disabled`: then neither the pointer nor the focus could ask for the reason.
        data-disabled={!online || undefined}
        aria-disabled={!online || undefined}
        onClick={(event) => {
          if (online) onClick(event);
          else event.preventDefault();
        }}
      />
    </Tooltip>
  );
}
