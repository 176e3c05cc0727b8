import { ActionIcon, Button, Group, Skeleton, Stack, Text, Tooltip } from '@mantine/core';
import { IconRefresh, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { EmptyState } from '../../ui/EmptyState';
import { ErrorState } from '../../ui/ErrorState';
import { FormDrawer } from '../../ui/FormDrawer';
import { relativeTime } from '../../ui/time';
import { toast } from '../../ui/toasts';
import classes from './work.module.css';
import { lettersQuery, useLetterActions, type Letter } from './queues';

interface Props {
  channel: string;
  /** How many there are; the server gives the first ones only. */
  total: number;
  onClose: () => void;
}

/** What was given up in a queue, with the reasons: try it again, or discard it. */
export function DeadLetters({ channel, total, onClose }: Props) {
  const { t } = useTranslation('work');
  const { data, error, refetch } = useQuery(lettersQuery(channel));
  const { redrive, drop } = useLetterActions(channel);
  /** A letter, or null for all of them. */
  const [asked, setAsked] = useState<{ letter: Letter | null } | null>(null);
  const count = asked?.letter ? 1 : Math.max(total, data?.length ?? 0);
  const again = (ids: string[] | null) =>
    void redrive(ids).then((done) => toast.success(t('letters.redriven', { count: done }))).catch(toast.error);
  const discard = async () => toast.success(t('letters.dropped', { count: await drop(asked?.letter ? [asked.letter.id] : null) }));
  return (
    <FormDrawer
      opened
      onClose={onClose}
      title={t('letters.title', { channel })}
      footer={
        data && data.length > 0 && (
          <Group justify="space-between">
            <Button variant="subtle" color="red" c="var(--mantine-color-error)" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => setAsked({ letter: null })}>
              {t('letters.dropAll')}
            </Button>
            <Button leftSection={<IconRefresh size={16} aria-hidden />} onClick={() => again(null)}>
              {t('letters.redriveAll')}
            </Button>
          </Group>
        )
      }
    >
      {error && <ErrorState error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Skeleton height={160} />}
      {data?.length === 0 && <EmptyState>{t('letters.none')}</EmptyState>}
      {data && data.length > 0 && (
        <Stack gap="sm">
          <Text size="sm" c="dimmed">
            {t('letters.hint')}
          </Text>
          <ul className={classes.list}>
            {data.map((letter) => (
              <LetterRow key={letter.id} letter={letter} onRedrive={() => again([letter.id])} onDrop={() => setAsked({ letter })} />
            ))}
          </ul>
          {total > data.length && (
            <Text size="sm" c="dimmed">
              {t('letters.more', { count: data.length })}
            </Text>
          )}
        </Stack>
      )}
      <ConfirmDialog
        opened={asked !== null}
        onClose={() => setAsked(null)}
        question={asked?.letter ? t('letters.askOne') : t('letters.askAll', { count })}
        verb={asked?.letter ? t('letters.drop') : t('letters.dropAll')}
        danger
        onConfirm={discard}
      >
        {asked?.letter && <Text size="sm" mb="xs">{asked.letter.reason}</Text>}
        {t('letters.consequence', { count, channel })}
      </ConfirmDialog>
    </FormDrawer>
  );
}

function LetterRow({ letter, onRedrive, onDrop }: { letter: Letter; onRedrive: () => void; onDrop: () => void }) {
  const { t, i18n } = useTranslation('work');
  const facts = [
    t('letters.died', { when: relativeTime(letter.diedAt, i18n.language) }),
    t('letters.tries', { count: letter.retried }),
    t('letters.bytes', { size: new Intl.NumberFormat(i18n.language).format(letter.bytes) }),
  ];
  return (
    <li className={classes.letter}>
      <div>
        <Text size="sm" fw={500} className={classes.reason}>
          {letter.reason}
        </Text>
        <Text size="xs" c="dimmed">
          {facts.join(' · ')}
        </Text>
      </div>
      <Group gap={0} wrap="nowrap">
        <Tooltip label={t('letters.redrive')}>
          <ActionIcon variant="subtle" size="lg" aria-label={`${t('letters.redrive')}: ${letter.reason}`} onClick={onRedrive}>
            <IconRefresh size={18} aria-hidden />
          </ActionIcon>
        </Tooltip>
        <Tooltip label={t('letters.drop')}>
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`${t('letters.drop')}: ${letter.reason}`} onClick={onDrop}>
            <IconTrash size={18} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </Group>
    </li>
  );
}
