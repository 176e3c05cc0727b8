import { Chip, NativeSelect } from '@mantine/core';
import { IconPin } from '@tabler/icons-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { APP_TONES, type AppRow, type AppStatus, DATABASE_MODES, type DatabaseMode } from './model';

const FROM = '/admin/settings/supervisor/apps';

export interface AppFilter {
  status?: AppStatus;
  environment?: string;
  database?: DatabaseMode;
  pinned?: boolean;
}

/** Whether an app is shown under these conditions. */
export function passes(app: AppRow, filter: AppFilter): boolean {
  return (
    (!filter.status || app.status === filter.status) &&
    (!filter.environment || (app.environments ?? []).includes(filter.environment)) &&
    (!filter.database || (app.options?.dbConnType ?? 'new_database') === filter.database) &&
    (!filter.pinned || app.pinned === true)
  );
}

export function isFiltered(filter: AppFilter): boolean {
  return Boolean(filter.status ?? filter.environment ?? filter.database ?? filter.pinned);
}

/** The conditions of the list, kept in its address. */
export function AppFilters({ apps }: { apps: AppRow[] }) {
  const { t } = useTranslation('supervisor');
  const navigate = useNavigate({ from: FROM });
  const search = useSearch({ from: FROM });
  const environments = [...new Set(apps.flatMap((app) => app.environments ?? []))].sort();
  const statuses = Object.keys(APP_TONES) as AppStatus[];
  const set = (change: AppFilter) =>
    void navigate({ search: (previous) => ({ ...previous, ...change, page: undefined }) });
  const choices = [
    {
      key: 'status' as const,
      label: t('apps.filterStatus'),
      any: t('apps.anyStatus'),
      options: statuses.map((value) => ({ value, label: t(`status.${value}`) })),
    },
    {
      key: 'environment' as const,
      label: t('apps.filterEnvironment'),
      any: t('apps.anyEnvironment'),
      options: environments.map((value) => ({ value, label: value })),
    },
    {
      key: 'database' as const,
      label: t('apps.filterDatabase'),
      any: t('apps.anyDatabase'),
      options: DATABASE_MODES.map((value) => ({ value, label: t(`databaseShort.${value}`) })),
    },
  ];
  return (
    <>
      {choices.map(({ key, label, any, options }) => (
        <NativeSelect
          key={key}
          size="sm"
          w={140}
          aria-label={label}
          value={search[key] ?? ''}
          data={[{ value: '', label: any }, ...options]}
          onChange={(event) => set({ [key]: event.currentTarget.value || undefined })}
        />
      ))}
      <Chip
        size="sm"
        variant="outline"
        icon={<IconPin size={14} aria-hidden />}
        checked={search.pinned ?? false}
        onChange={(pinned) => set({ pinned: pinned || undefined })}
      >
        {t('apps.onlyPinned')}
      </Chip>
    </>
  );
}
