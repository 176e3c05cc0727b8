import { ActionIcon, Group, Loader, Stack, TextInput, Tooltip } from '@mantine/core';
import { IconRefresh, IconSearch } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { ErrorState } from '../../ui/ErrorState';
import type { GridAction, GridState } from '../../ui/DataGrid';
import { PageHeader } from '../../ui/PageHeader';
import { AppCards } from './AppCards';
import type { AppRow } from './model';

interface Props {
  apps: AppRow[] | undefined;
  query: { error: Error | null; isFetching: boolean; refetch: () => unknown };
  state: GridState;
  onState: (patch: Partial<GridState>) => void;
  toolbar: ReactNode;
  primary: ReactNode;
  empty: { text: string; action?: ReactNode };
  actions: (app: AppRow) => GridAction<AppRow>[];
  onEdit: (app: AppRow) => void;
  onDelete: (app: AppRow) => void;
}

/** Title, search and conditions as in the table, with cards below. */
export function CardsView({ apps, query, state, onState, toolbar, primary, empty, ...actions }: Props) {
  const { t, i18n } = useTranslation(['supervisor', 'grid']);
  const count = apps && new Intl.NumberFormat(i18n.language).format(apps.length);
  return (
    <section aria-label={t('apps.title')}>
      <PageHeader title={t('apps.title')} count={count} actions={primary} />
      <Stack gap="md">
        <Group gap="xs">
          <TextInput
            size="sm"
            flex="1 1 160px"
            maw={320}
            role="searchbox"
            aria-label={t('grid:search')}
            placeholder={t('grid:search')}
            leftSection={<IconSearch size={16} aria-hidden />}
            value={state.q}
            onChange={(event) => onState({ q: event.currentTarget.value })}
          />
          {toolbar}
          <Tooltip label={t('grid:refresh')}>
            <ActionIcon
              ml="auto"
              variant="subtle"
              color="gray"
              size="lg"
              aria-label={t('grid:refresh')}
              onClick={() => void query.refetch()}
            >
              {query.isFetching ? <Loader size={16} /> : <IconRefresh size={18} aria-hidden />}
            </ActionIcon>
          </Tooltip>
        </Group>
        {query.error && <ErrorState error={query.error} onRetry={() => void query.refetch()} />}
        {!(query.error && !apps) && (
          <AppCards
            apps={apps}
            label={t('apps.title')}
            empty={state.q ? { text: t('apps.noneMatch') } : empty}
            {...actions}
          />
        )}
      </Stack>
    </section>
  );
}
