import { Button, type ButtonProps, Text } from '@mantine/core';
import { IconPlayerPlay, IconPlayerStop } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { actionsFor, type AppRow, titleOf } from './model';
import { type AppCommand, useAppCommand } from './queries';
import { usageSentence } from './traffic';

const STILL_WAITING_MS = 10_000;

interface Props {
  app: AppRow;
  size?: ButtonProps['size'];
}

/** Start or Stop, whichever fits the state. The state itself changes only when the server says so. */
export function StartStop({ app, size = 'compact-sm' }: Props) {
  const { t, i18n } = useTranslation('supervisor');
  const [asking, setAsking] = useState(false);
  const { send, waiting, slow } = useCommand(app);
  const allowed = actionsFor(app.status);
  if (!allowed.stop && !allowed.start) return null;
  const start = allowed.start;
  const name = titleOf(app);
  return (
    <>
      <Button
        size={size}
        variant="default"
        loading={waiting}
        leftSection={start ? <IconPlayerPlay size={14} aria-hidden /> : <IconPlayerStop size={14} aria-hidden />}
        aria-label={start ? t('command.startApp', { name }) : t('command.stopApp', { name })}
        onClick={() => (start ? void send('start') : setAsking(true))}
      >
        {start ? t('command.start') : t('command.stop')}
      </Button>
      {slow && (
        <Text size="xs" c="dimmed" role="status">
          {t('command.stillWaiting')}
        </Text>
      )}
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        question={t('stop.question', { name })}
        verb={t('stop.verb')}
        onConfirm={() => send('stop')}
      >
        {usageSentence([app], t, i18n.language)} {t('stop.consequence')}
      </ConfirmDialog>
    </>
  );
}

/** Sends commands, to all environments or to one; `waiting` from the click until the server reports another state. */
export function useCommand(app: AppRow, environment?: string) {
  const command = useAppCommand();
  const [sentIn, setSentIn] = useState<string | null>(null);
  const [slow, setSlow] = useState(false);
  const state = JSON.stringify([environment ? app.statuses?.[environment] : app.status, app.desired, app.operation?.at]);
  const waiting = command.isPending || sentIn === state;

  useEffect(() => {
    setSlow(false);
    if (!waiting) {
      setSentIn(null);
      return;
    }
    const timer = setTimeout(() => setSlow(true), STILL_WAITING_MS);
    return () => clearTimeout(timer);
  }, [waiting]);

  const send = async (name: AppCommand) => {
    setSentIn(state);
    try {
      await command.mutateAsync({ name: app.name, command: name, environment });
    } catch {
      // The mutation has shown the error; the button works again.
      setSentIn(null);
    }
  };
  return { send, waiting, slow: slow && waiting };
}
