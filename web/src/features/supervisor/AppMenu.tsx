import { ActionIcon, type ActionIconProps, Menu } from '@mantine/core';
import { IconDots, IconPencil, IconTrash } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import type { GridAction } from '../../ui/DataGrid';
import { type AppRow, titleOf } from './model';

interface Props {
  app: AppRow;
  actions: (app: AppRow) => GridAction<AppRow>[];
  onEdit: (app: AppRow) => void;
  onDelete: (app: AppRow) => void;
  button?: ActionIconProps;
}

/** The same entries as in the menu of the app's row. */
export function AppMenu({ app, actions, onEdit, onDelete, button }: Props) {
  const { t } = useTranslation('supervisor');
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={t('apps.actionsFor', { name: titleOf(app) })} {...button}>
          <IconDots size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => onEdit(app)}>
          {t('apps.edit')}
        </Menu.Item>
        {actions(app).map((action) => (
          <Menu.Item key={action.id} leftSection={action.icon} disabled={action.disabled} onClick={() => action.onAction(app)}>
            {action.label}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item
          c="var(--mantine-color-error)"
          leftSection={<IconTrash size={16} aria-hidden />}
          onClick={() => onDelete(app)}
        >
          {t('delete.open')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
