import { Button, Drawer, Group, Modal, Stack, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { type ReactNode, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

import classes from './FormDrawer.module.css';

interface Props {
  opened: boolean;
  onClose: () => void;
  title: ReactNode;
  /** Width in pixels on wide screens; full-screen below 768 px. */
  size?: number;
  /** Unsaved input: closing asks first. */
  dirty?: boolean;
  /** Offers "Save and leave" in that question. Resolves to false when it did not save. */
  onSave?: () => Promise<boolean>;
  /** Buttons, always visible at the bottom. */
  footer?: ReactNode;
  children: ReactNode;
}

/** A panel from the right that never loses input by accident. */
export function FormDrawer({ opened, onClose, title, size = 640, dirty = false, onSave, footer, children }: Props) {
  const phone = useMediaQuery('(max-width: 47.99em)', undefined, { getInitialValueInEffect: false });
  const [asking, setAsking] = useState(false);
  // Later: drawer and dialog both listen for Escape on the window, and one key press must reach only one of them.
  const ask = (on: boolean) => window.setTimeout(() => setAsking(on));
  const close = () => (dirty ? ask(true) : onClose());
  useLeaveGuard(opened && dirty);
  return (
    <>
      <Drawer
        opened={opened}
        onClose={close}
        position="right"
        size={phone ? '100%' : size}
        title={title}
        padding={phone ? 'sm' : 'lg'}
        classNames={{ content: classes.content, body: classes.body, title: classes.title }}
        closeButtonProps={{ size: 'lg' }}
        closeOnEscape={!asking}
      >
        <div className={classes.scroll}>{children}</div>
        {footer && <div className={classes.footer}>{footer}</div>}
      </Drawer>
      <DiscardDialog
        opened={asking}
        onKeep={() => ask(false)}
        onDiscard={() => {
          setAsking(false);
          onClose();
        }}
        onSave={
          onSave &&
          (async () => {
            setAsking(false);
            if (await onSave()) onClose();
          })
        }
      />
    </>
  );
}

interface DiscardProps {
  opened: boolean;
  onKeep: () => void;
  onDiscard: () => void;
  onSave?: (() => Promise<void>) | undefined;
}

function DiscardDialog({ opened, onKeep, onDiscard, onSave }: DiscardProps) {
  const { t } = useTranslation('ui');
  return (
    <Modal opened={opened} onClose={onKeep} title={t('discard.question')} size="sm">
      <Stack gap="md">
        <Text size="sm">{t('discard.consequence')}</Text>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" color="red" onClick={onDiscard}>
            {t('discard.discard')}
          </Button>
          {onSave && (
            <Button variant="default" onClick={() => void onSave()}>
              {t('discard.save')}
            </Button>
          )}
          <Button onClick={onKeep} data-autofocus>
            {t('discard.keep')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

/** The browser asks before the page with unsaved input is left or loaded again. */
export function useLeaveGuard(active: boolean): void {
  useEffect(() => {
    if (!active) return;
    const stop = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', stop);
    return () => window.removeEventListener('beforeunload', stop);
  }, [active]);
}
