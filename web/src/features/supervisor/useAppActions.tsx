import {
  IconAlertTriangle, IconChartLine, IconCopyPlus, IconExternalLink, IconEye, IconEyeOff, IconFileText, IconLink, IconPin, IconPinnedOff, IconRefresh,
} from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import type { GridAction } from '../../ui/DataGrid';
import { toast } from '../../ui/toasts';
import { actionsFor, addressOf, type AppRow } from './model';
import { updateApp, useAppCommand } from './queries';

const ICON = { size: 16, 'aria-hidden': true } as const;

/** What can be done with one app besides opening, editing and deleting it; for its row, card and page. */
export function useAppActions(onError: (app: AppRow) => void): (app: AppRow) => GridAction<AppRow>[] {
  const { t } = useTranslation('supervisor');
  const client = useQueryClient();
  const navigate = useNavigate();
  const { mutate } = useAppCommand();
  const change = (row: AppRow, values: object) => void updateApp(client, row.name, values).catch(toast.error);
  const address = (row: AppRow) => new URL(addressOf(row), window.location.href).href;
  const copy = async (row: AppRow) => {
    await navigator.clipboard.writeText(address(row));
    toast.success(t('apps.copied'));
  };
  return (row) => [
    ...(actionsFor(row.status).open
      ? [
          {
            id: 'tab',
            label: t('apps.openTab'),
            icon: <IconExternalLink {...ICON} />,
            onAction: () => void window.open(addressOf(row), '_blank', 'noopener'),
          },
        ]
      : []),
    {
      id: 'restart',
      label: t('command.restart'),
      icon: <IconRefresh {...ICON} />,
      disabled: !actionsFor(row.status).restart,
      onAction: () => mutate({ name: row.name, command: 'restart' }),
    },
    {
      id: 'logs',
      label: t('logs.view'),
      icon: <IconFileText {...ICON} />,
      onAction: () =>
        void navigate({ to: '/admin/settings/supervisor/apps/$name/{-$tab}', params: { name: row.name, tab: 'logs' } as never }),
    },
    {
      id: 'metrics',
      label: t('metrics.view'),
      icon: <IconChartLine {...ICON} />,
      onAction: () =>
        void navigate({ to: '/admin/settings/supervisor/apps/$name/{-$tab}', params: { name: row.name, tab: 'metrics' } as never }),
    },
    ...(row.reason
      ? [{ id: 'error', label: t('problem.open'), icon: <IconAlertTriangle {...ICON} />, onAction: onError }]
      : []),
    {
      id: 'duplicate',
      label: t('apps.duplicate'),
      icon: <IconCopyPlus {...ICON} />,
      onAction: () => void navigate({ to: '/admin/settings/supervisor/apps', search: { create: true, like: row.name } }),
    },
    { id: 'copy', label: t('apps.copyUrl'), icon: <IconLink {...ICON} />, onAction: () => void copy(row).catch(toast.error) },
    {
      id: 'pin',
      label: row.pinned ? t('apps.unpin') : t('apps.pin'),
      icon: row.pinned ? <IconPinnedOff {...ICON} /> : <IconPin {...ICON} />,
      onAction: () => change(row, { pinned: !row.pinned }),
    },
    {
      id: 'hide',
      label: row.options?.hidden ? t('apps.show') : t('apps.hide'),
      icon: row.options?.hidden ? <IconEye {...ICON} /> : <IconEyeOff {...ICON} />,
      onAction: () => change(row, { options: { hidden: !row.options?.hidden } }),
    },
  ];
}
