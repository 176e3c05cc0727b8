import { Button, Code, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useOnline } from '../app/connection';
import { ErrorState } from './ErrorState';

interface Props {
  opened: boolean;
  onClose: () => void;
  question: string;
  verb: string;
  danger?: boolean;
  typed?: string;
  /** The dialog stays open with a spinner until it ends; an error is shown inside. */
  onConfirm: () => Promise<unknown> | unknown;
  children: ReactNode;
}

/** Asks before work stops or data is lost. Focus starts on Cancel, or on the field to type into. */
export function ConfirmDialog({ opened, onClose, ...content }: Props) {
  return (
    <Modal opened={opened} onClose={onClose} title={content.question} size="md" closeButtonProps={{ size: 'md' }}>
      <ConfirmContent onClose={onClose} {...content} />
    </Modal>
  );
}

function ConfirmContent({ onClose, verb, danger, typed, onConfirm, children }: Omit<Props, 'opened' | 'question'>) {
  const { t } = useTranslation('ui');
  const [text, setText] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const online = useOnline();
  const allowed = typed === undefined || text.trim() === typed;

  const confirm = async () => {
    setBusy(true);
    setError(null);
    try {
      await onConfirm();
      onClose();
    } catch (problem) {
      setError(problem as Error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (allowed && online) void confirm();
      }}
    >
      <Stack gap="md">
        <Text size="sm" component="div">
          {children}
        </Text>
        {typed !== undefined && (
          <TextInput
            data-autofocus
            autoComplete="off"
            spellCheck={false}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            label={
              <>
                {t('confirm.type')} <Code>{typed}</Code>
              </>
            }
          />
        )}
        {error && <ErrorState error={error} />}
        {!online && (
          <Text size="sm" role="status">
            {t('offline.reason')}
          </Text>
        )}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose} {...(typed === undefined ? { 'data-autofocus': true } : {})}>
            {t('cancel')}
          </Button>
          <Button type="submit" color={danger ? 'red.8' : undefined} disabled={!allowed || !online} loading={busy}>
            {verb}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
