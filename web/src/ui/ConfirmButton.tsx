import { Button, type ButtonProps } from '@mantine/core';
import { type ReactNode, useState } from 'react';

import { ConfirmDialog } from './ConfirmDialog';

interface Props extends ButtonProps {
  /** Question in the dialog's title. */
  question: string;
  /** What follows from it, in plain words. */
  consequences: ReactNode;
  /** The verb on the dialog's button, such as "Stop app". */
  verb: string;
  danger?: boolean;
  /** Must be typed before the button works (level L3). */
  typed?: string;
  onConfirm: () => Promise<unknown> | unknown;
  children: ReactNode;
}

/** A button whose action is confirmed first. */
export function ConfirmButton({ question, consequences, verb, danger, typed, onConfirm, children, ...button }: Props) {
  const [opened, setOpened] = useState(false);
  return (
    <>
      <Button {...button} onClick={() => setOpened(true)}>
        {children}
      </Button>
      <ConfirmDialog
        opened={opened}
        onClose={() => setOpened(false)}
        question={question}
        verb={verb}
        danger={danger}
        typed={typed}
        onConfirm={onConfirm}
      >
        {consequences}
      </ConfirmDialog>
    </>
  );
}
