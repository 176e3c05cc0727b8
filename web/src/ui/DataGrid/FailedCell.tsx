import { Button, Group, Popover, Stack, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import type { KeyboardEvent, ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import classes from './DataGrid.module.css';

interface Props {
  reason: string;
  /** The focus is on the cell: the reason and the choice are shown. */
  opened: boolean;
  /** Sends the value again; null for one that no server would take. */
  onRetry: (() => void) | null;
  onEdit: () => void;
  onDiscard: () => void;
  /** Back to the cell. */
  onClose: () => void;
  children: ReactNode;
}

/** Marks the panel of the failed cell that has the focus; Enter on the cell goes there. */
export const FAILED_PANEL = 'data-failed-cell';

/** A value that was not saved: what was typed stays, with the reason and what can be done. */
export function FailedCell({ reason, opened, onRetry, onEdit, onDiscard, onClose, children }: Props) {
  const { t } = useTranslation('grid');
  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key !== 'Escape') return;
    event.preventDefault();
    onClose();
  };
  return (
    <Popover opened={opened} position="bottom-start" withinPortal shadow="md" width={320} trapFocus={false} returnFocus={false} closeOnEscape={false} withRoles={false}>
      <Popover.Target>
        <span className={classes.failedContent}>
          <IconAlertTriangle size={14} aria-hidden="true" />
          <span className={classes.content}>{children}</span>
        </span>
      </Popover.Target>
      <Popover.Dropdown p="sm" role="dialog" aria-label={t('edits.notSaved')} onKeyDown={onKeyDown} {...{ [FAILED_PANEL]: '' }}>
        <Stack gap="xs">
          <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
            {reason}
          </Text>
          <Group gap="xs">
            {onRetry && (
              <Button size="xs" onClick={onRetry}>
                {t('edits.retry')}
              </Button>
            )}
            <Button size="xs" variant="default" onClick={onEdit}>
              {t('edit')}
            </Button>
            <Button size="xs" variant="default" onClick={onDiscard}>
              {t('edits.discard')}
            </Button>
          </Group>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
