import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useBlocker } from '@tanstack/react-router';
import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

interface Options {
  /** There is input that is not saved. */
  dirty: boolean;
  /** Offers "Save and leave". Resolves to false when it did not save; the reason is then shown by the form. */
  onSave?: (() => Promise<boolean>) | undefined;
  /** The input was given up. */
  onDiscard?: (() => void) | undefined;
  /** What `close` does once nothing can be lost. */
  onClose?: () => void;
  /** The input survives as long as the path stays: paging or filtering a list is not leaving it. */
  survivesOnPage?: boolean;
}

interface Guard {
  /** The question is open. */
  asking: boolean;
  /** Closes at once, or asks first. */
  close: () => void;
  /** To be rendered beside the form. */
  dialog: ReactNode;
}

/**
 * Unsaved input is never dropped without a question: not by closing the form, not by a link, Back or Forward,
 * not by closing the tab (there the browser asks, in its own words).
 *
 * A form that leaves its own page after saving passes `ignoreBlocker: true` to `navigate`.
 */
export function useDirtyGuard({ dirty, onSave, onDiscard, onClose, survivesOnPage = false }: Options): Guard {
  const [closing, setClosing] = useState(false);
  // The answer was given: what happens next is meant.
  const answered = useRef(false);
  const unsaved = useRef(dirty);
  useEffect(() => {
    unsaved.current = dirty;
    if (!dirty) answered.current = false;
  }, [dirty]);
  const isUnsaved = useCallback(() => unsaved.current && !answered.current, []);
  const shouldBlock = useCallback(
    ({ current, next }: { current: { pathname: string }; next: { pathname: string } }) =>
      isUnsaved() && !(survivesOnPage && current.pathname === next.pathname),
    [isUnsaved, survivesOnPage],
  );
  const blocker = useBlocker({ shouldBlockFn: shouldBlock, enableBeforeUnload: isUnsaved, disabled: !dirty, withResolver: true });
  // Later: drawer and dialog both listen for Escape on the window, and one key press must reach only one of them.
  const ask = (on: boolean) => window.setTimeout(() => setClosing(on));
  const keep = () => {
    ask(false);
    blocker.reset?.();
  };
  const leave = () => {
    answered.current = true;
    setClosing(false);
    if (blocker.proceed) blocker.proceed();
    else onClose?.();
  };
  const save =
    onSave &&
    (async () => {
      if (await onSave()) leave();
      else keep();
    });
  const discard = () => {
    onDiscard?.();
    leave();
  };
  const asking = closing || blocker.status === 'blocked';
  return {
    asking,
    close: () => (dirty ? ask(true) : onClose?.()),
    dialog: <DiscardDialog opened={asking} onKeep={keep} onDiscard={discard} onSave={save} />,
  };
}

interface DialogProps {
  opened: boolean;
  onKeep: () => void;
  onDiscard: () => void;
  onSave: (() => Promise<void>) | undefined;
}

function DiscardDialog({ opened, onKeep, onDiscard, onSave }: DialogProps) {
  const { t } = useTranslation('ui');
  const [saving, setSaving] = useState(false);
  const save = async () => {
    setSaving(true);
    try {
      await onSave?.();
    } finally {
      setSaving(false);
    }
  };
  return (
    <Modal opened={opened} onClose={onKeep} title={t('discard.question')} size="sm">
      <Stack gap="md">
        <Text size="sm">{t('discard.consequence')}</Text>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" color="red" onClick={onDiscard} disabled={saving}>
            {t('discard.discard')}
          </Button>
          {onSave && (
            <Button variant="default" loading={saving} onClick={() => void save()}>
              {t('discard.save')}
            </Button>
          )}
          <Button onClick={onKeep} data-autofocus disabled={saving}>
            {t('discard.keep')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
