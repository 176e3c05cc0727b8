import { ActionIcon, Menu } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useOnline } from '../../app/connection';
import type { GridAction } from './types';

interface Props<Row> {
  row: Row;
  name: string;
  actions: GridAction<Row>[];
  /** In a grid the cell is the tab stop, on a card the button is. */
  inGrid: boolean;
}

export function RowMenu<Row>({ row, name, actions, inGrid }: Props<Row>) {
  const { t } = useTranslation(['grid', 'ui']);
  const online = useOnline();
  if (actions.length === 0) return null;
  const isRefused = (action: GridAction<Row>) => action.writes === true && !online;
  return (
    <Menu position="bottom-end" withinPortal withInitialFocusPlaceholder={false}>
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          size={inGrid ? 'md' : 44}
          tabIndex={inGrid ? -1 : 0}
          aria-label={t('rowMenu', { name })}
        >
          <IconDots size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {actions.map((action) => (
          <Menu.Item
            key={action.id}
            c={action.danger ? 'var(--mantine-color-error)' : undefined}
            disabled={action.disabled || isRefused(action)}
            title={isRefused(action) ? t('offline.reason', { ns: 'ui' }) : undefined}
            leftSection={action.icon}
            onClick={() => action.onAction(row)}
          >
            {action.label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
