import { ActionIcon, Button, Drawer, Indicator, Popover, ScrollArea, Stack, Text, Title, Tooltip } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconChecklist } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import i18next from 'i18next';
import { useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { announce, announceError } from '../../ui/announce';
import { QUIET, toast } from '../../ui/toasts';
import { isUnfinished, stateOf, type Task } from './model';
import { fetchResult, starting, tasksQuery, tray, useLiveTasks } from './queries';
import { TaskRow } from './TaskRow';
import { TrayFooter } from './TrayFooter';
import classes from './TaskTray.module.css';

/** What a person has running: in the header of every screen; on a phone a screen of its own, reached by `TrayEntry`. */
export function TaskTray({ phone }: { phone: boolean }) {
  const { t } = useTranslation('tasks');
  const opened = useSyncExternalStore(tray.subscribe, tray.get);
  const { data: tasks = [] } = useLiveTasks(tellFinished);
  const running = tasks.filter(isUnfinished).length;
  const label = running > 0 ? t('tray.running', { count: running }) : t('tray.open');
  if (phone) {
    return (
      <Drawer opened={opened} onClose={() => tray.set(false)} title={t('tray.title')} padding={0}>
        <TaskList tasks={tasks} />
        <TrayFooter />
      </Drawer>
    );
  }
  return (
    <Popover opened={opened} onChange={(value) => tray.set(value)} position="bottom-end" width={420} shadow="md" trapFocus returnFocus>
      <Popover.Target>
        <Tooltip label={label} disabled={opened}>
          <Indicator disabled={running === 0} label={running} size={18} offset={8} color="lagoon.8">
            <ActionIcon
              variant="subtle"
              color="gray"
              size={44}
              aria-label={label}
              aria-haspopup="dialog"
              aria-expanded={opened}
              className={running > 0 ? classes.working : undefined}
              onClick={() => tray.set(!opened)}
            >
              <IconChecklist size={22} aria-hidden />
            </ActionIcon>
          </Indicator>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown p={0} className={classes.dropdown} aria-label={t('tray.title')}>
        <Title order={2} size="h5" px="md" pt="sm" pb={4}>
          {t('tray.title')}
        </Title>
        <ScrollArea.Autosize mah="min(70dvh, 560px)">
          <TaskList tasks={tasks} />
        </ScrollArea.Autosize>
        <TrayFooter />
      </Popover.Dropdown>
    </Popover>
  );
}

function TaskList({ tasks }: { tasks: Task[] }) {
  const { t } = useTranslation('tasks');
  if (tasks.length === 0) {
    return (
      <Text size="sm" c="dimmed" px="md" pb="md">
        {t('tray.empty')}
      </Text>
    );
  }
  return (
    <Stack gap={0} component="ul" className={classes.list}>
      {tasks.map((task) => (
        <TaskRow key={task.id} task={task} />
      ))}
    </Stack>
  );
}

/** Opens the tray from the menu of a phone. */
export function TrayEntry({ onOpen }: { onOpen: () => void }) {
  const { t } = useTranslation('tasks');
  const running = useQuery(tasksQuery).data?.filter(isUnfinished).length ?? 0;
  return (
    <Button
      fullWidth
      variant="subtle"
      color="gray"
      justify="flex-start"
      h={44}
      leftSection={<IconChecklist size={20} aria-hidden />}
      onClick={onOpen}
    >
      {running > 0 ? t('tray.running', { count: running }) : t('tray.open')}
    </Button>
  );
}

/** Says what has ended while the tray is closed. */
function tellFinished(task: Task): void {
  if (tray.get() || starting.get() > 0 || task.params?.dryRun === true) return;
  const state = stateOf(task);
  if (state === 'stopped') return;
  const failed = state === 'failed';
  const title = i18next.t(failed ? 'toast.failed' : 'toast.done', { ns: 'tasks', title: task.title });
  if (failed) announceError(title);
  else announce(title);
  notifications.show({
    color: failed ? 'red' : 'green',
    ...QUIET,
    title,
    message: failed ? (
      (task.result?.message ?? '')
    ) : task.result?.file ? (
      <Button size="compact-sm" variant="light" onClick={() => void fetchResult(task).catch(toast.error)}>
        {i18next.t(task.type === 'import' ? 'downloadFailed' : 'download', { ns: 'tasks' })}
      </Button>
    ) : (
      ''
    ),
    autoClose: failed ? false : 8_000,
  });
}
