import { Group, Popover, Stack, Text, UnstyledButton } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { RelativeTime } from '../../ui/RelativeTime';
import { AppStatusChip } from './AppStatusChip';
import { type AppRow, isTransitional, type Progress, statusCounts } from './model';

/** "2/5" while an app is being prepared, "queued (2)" while it waits for its turn. */
export function useProgressNote(progress: Progress | null | undefined): string | undefined {
  const { t } = useTranslation('supervisor');
  if (!progress) return undefined;
  if (progress.queue) return t('progress.queueNote', { position: progress.queue.position });
  const done = progress.steps.filter((step) => step.state === 'done').length;
  const total = progress.steps.length;
  return total > 0 && done < total ? `${done + 1}/${total}` : undefined;
}

/** The app's state; with more to say it opens a list per environment. */
export function StatusCell({ app }: { app: AppRow }) {
  const { t } = useTranslation('supervisor');
  const note = useProgressNote(isTransitional(app) ? app.progress : null);
  const counts = statusCounts(app);
  const mixed = counts.length > 1;
  const chip = mixed ? (
    counts.map(([status, count]) => <AppStatusChip key={status} status={status} count={count} />)
  ) : (
    <AppStatusChip status={app.status} note={note} />
  );
  const instances = app.instances ?? [];
  if (!mixed && instances.length < 2 && !app.reason) return chip;
  return (
    <Popover position="bottom-start" shadow="md" width={320} withinPortal>
      <Popover.Target>
        <UnstyledButton aria-label={t('statusDetails', { status: t(`status.${app.status}`) })}>
          <Group gap={4} wrap="nowrap">
            {chip}
            <IconChevronDown size={14} aria-hidden />
          </Group>
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="sm">
          {app.reason && (
            <div>
              <Text size="sm" fw={600}>
                {app.reason.message}
              </Text>
              {app.reason.remedy && <Text size="sm">{app.reason.remedy}</Text>}
              <Text size="xs" c="dimmed" ff="monospace">
                {app.reason.code}
              </Text>
            </div>
          )}
          {instances.map((instance) => (
            <div key={`${instance.environment}/${instance.instance ?? ''}`}>
              <Group justify="space-between" wrap="nowrap" gap="xs">
                <Text size="sm" fw={600} truncate>
                  {instance.environment}
                </Text>
                <AppStatusChip status={instance.status} />
              </Group>
              <Text size="xs" c="dimmed">
                {instance.message} {instance.since && <RelativeTime value={instance.since} />}
              </Text>
            </div>
          ))}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
