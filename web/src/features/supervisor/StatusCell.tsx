import { Button, Group, Popover, Stack, Text, UnstyledButton } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { RelativeTime } from '../../ui/RelativeTime';
import { StatusChip } from '../../ui/StatusChip';
import { AppStatusChip } from './AppStatusChip';
import { ProblemPanel } from './ProblemPanel';
import { type AppRow, type AppStatus, isTransitional, type Progress, type Reason, statusCounts } from './model';

/** "2/5" while an app is being prepared, "queued (2)" while it waits for its turn. */
export function useProgressNote(progress: Progress | null | undefined): string | undefined {
  const { t } = useTranslation('supervisor');
  if (!progress) return undefined;
  if (progress.queue) return t('progress.queueNote', { position: progress.queue.position });
  const done = progress.steps.filter((step) => step.state === 'done').length;
  const total = progress.steps.length;
  return total > 0 && done < total ? `${done + 1}/${total}` : undefined;
}

/** One chip for the whole app; "Running 1 of 2" in amber when its environments differ. */
function Summary({ app }: { app: AppRow }) {
  const { t } = useTranslation('supervisor');
  const note = useProgressNote(isTransitional(app) ? app.progress : null);
  const counts = statusCounts(app);
  if (counts.length < 2 || note) return <AppStatusChip status={app.status} note={note} />;
  const count = counts.find(([status]) => status === app.status)?.[1] ?? 0;
  const total = counts.reduce((sum, [, number]) => sum + number, 0);
  return <StatusChip tone="warn">{t('statusPartly', { status: t(`status.${app.status}`), count, total })}</StatusChip>;
}

/** The app's state; with more to say it opens a list per environment. */
export function StatusCell({ app }: { app: AppRow }) {
  const { t } = useTranslation('supervisor');
  const [opened, setOpened] = useState(false);
  const [showing, setShowing] = useState(false);
  const show = () => {
    setOpened(false);
    setShowing(true);
  };
  const environments = Object.entries(app.statuses ?? {});
  if (environments.length < 2 && !app.reason) return <Summary app={app} />;
  return (
    <>
      <Popover opened={opened} onChange={setOpened} position="bottom-start" shadow="md" width={320} withinPortal>
        <Popover.Target>
          <UnstyledButton onClick={() => setOpened((value) => !value)} aria-label={t('statusDetails', { status: t(`status.${app.status}`) })}>
            <Group gap={4} wrap="nowrap">
              <Summary app={app} />
              <IconChevronDown size={14} aria-hidden />
            </Group>
          </UnstyledButton>
        </Popover.Target>
        <Popover.Dropdown>
          <Stack gap="sm">
            {environments.map(([name, status]) => (
              <EnvironmentLine key={name} app={app} name={name} status={status} />
            ))}
            {environments.length === 0 && app.reason && <ReasonText reason={app.reason} />}
            {app.reason && (
              <Button size="compact-sm" variant="default" onClick={show}>
                {t('problem.open')}
              </Button>
            )}
          </Stack>
        </Popover.Dropdown>
      </Popover>
      {showing && <ProblemPanel app={app} onClose={() => setShowing(false)} />}
    </>
  );
}

function EnvironmentLine({ app, name, status }: { app: AppRow; name: string; status: AppStatus }) {
  const instance = app.instances?.find((candidate) => candidate.environment === name);
  const single = Object.keys(app.statuses ?? {}).length === 1;
  const reason = app.reasons?.[name] ?? (single ? app.reason : null);
  return (
    <div>
      <Group justify="space-between" wrap="nowrap" gap="xs">
        <Text size="sm" fw={600} truncate>
          {name}
        </Text>
        <AppStatusChip status={status} />
      </Group>
      {reason && <ReasonText reason={reason} />}
      {instance && !reason && (
        <Text size="xs" c="dimmed">
          {instance.message} {instance.since && <RelativeTime value={instance.since} />}
        </Text>
      )}
    </div>
  );
}

function ReasonText({ reason }: { reason: Reason }) {
  return (
    <>
      <Text size="sm">{reason.message}</Text>
      {reason.remedy && (
        <Text size="sm" c="dimmed">
          {reason.remedy}
        </Text>
      )}
      <Text size="xs" c="dimmed" ff="monospace">
        {reason.code}
      </Text>
    </>
  );
}
