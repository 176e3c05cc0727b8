import { Button, Drawer, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { createContext, type ReactNode, use } from 'react';
import { useTranslation } from 'react-i18next';

import { useOnline } from '../app/connection';
import classes from './FormDrawer.module.css';
import { useDirtyGuard } from './useDirtyGuard';

interface Props {
  opened: boolean;
  onClose: () => void;
  title: ReactNode;
  /** Width in pixels on wide screens; full-screen below 768 px. */
  size?: number;
  /** Unsaved input: closing, Back, links and closing the tab ask first. */
  dirty?: boolean;
  /** Offers "Save and leave" in that question. Resolves to false when it did not save. */
  onSave?: () => Promise<boolean>;
  /** The input was given up in that question. */
  onDiscard?: () => void;
  /** Buttons, always visible at the bottom. */
  footer?: ReactNode;
  children: ReactNode;
}

const Close = createContext<() => void>(() => undefined);

/** "Cancel" in the footer of a drawer: closes it as its other ways do, with the question about unsaved input. */
export function CloseDrawer({ children }: { children: ReactNode }) {
  return (
    <Button variant="default" onClick={use(Close)}>
      {children}
    </Button>
  );
}

/** A panel from the right that never loses input by accident. */
export function FormDrawer({ opened, onClose, title, size = 640, dirty = false, onSave, onDiscard, footer, children }: Props) {
  const phone = useMediaQuery('(max-width: 47.99em)', undefined, { getInitialValueInEffect: false });
  const { t } = useTranslation('ui');
  const online = useOnline();
  const guard = useDirtyGuard({ dirty: opened && dirty, onSave, onDiscard, onClose });
  return (
    <>
      <Drawer
        opened={opened}
        onClose={guard.close}
        position="right"
        size={phone ? '100%' : size}
        title={title}
        padding={phone ? 'sm' : 'lg'}
        classNames={{ content: classes.content, body: classes.body, title: classes.title }}
        closeButtonProps={{ size: 'lg' }}
        closeOnEscape={!guard.asking}
      >
        <div className={classes.scroll}>{children}</div>
        {footer && (
          <div className={classes.footer}>
            {!online && (
              <Text size="sm" mb="xs" role="status">
                {t('offline.reason')}
              </Text>
            )}
            {/* Takes all buttons in it out of use. */}
            <fieldset className={classes.buttons} disabled={!online}>
              <Close value={guard.close}>{footer}</Close>
            </fieldset>
          </div>
        )}
      </Drawer>
      {guard.dialog}
    </>
  );
}
