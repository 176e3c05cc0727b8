import { Button, Text } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { api } from '../../app/api';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { DataGrid, type GridColumn, useGridState, useLocalPage } from '../../ui/DataGrid';
import { RelativeTime } from '../../ui/RelativeTime';
import { StatusChip } from '../../ui/StatusChip';
import { roleTitle } from './roleTitle';
import { NewApiKey } from './NewApiKey';
import { type ApiKey, apiKeysQuery, useRefresh } from './queries';
import { toast } from '../../ui/toasts';

const SOON_MS = 14 * 86_400_000;

/** The keys that programs use in the name of this person. */
export function ApiKeysPage() {
  const { t } = useTranslation('account');
  const [state, setState] = useGridState('apiKeys');
  const [creating, setCreating] = useState(false);
  const [ending, setEnding] = useState<ApiKey | null>(null);
  const refresh = useRefresh(apiKeysQuery);
  const columns = useColumns();
  const query = useLocalPage(useQuery(apiKeysQuery), state, columns);
  const button = (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setCreating(true)}>
      {t('keys.new')}
    </Button>
  );
  const end = async (key: ApiKey) => {
    await api.resource('apiKeys').destroy(key.id);
    await refresh();
    toast.success(t('keys.ended', { name: key.name }));
  };
  return (
    <>
      <DataGrid
        gridKey="apiKeys"
        label={t('keys.title')}
        title={t('keys.title')}
        description={t('keys.text')}
        columns={columns}
        query={query}
        state={state}
        onState={setState}
        rowId={(row) => String(row.id)}
        primary={button}
        rowActions={() => [
          { id: 'end', label: t('keys.end'), icon: <IconTrash size={16} aria-hidden />, danger: true, onAction: setEnding },
        ]}
        empty={{ text: t('keys.empty'), action: button }}
      />
      {creating && <NewApiKey onClose={() => setCreating(false)} onMade={refresh} />}
      <ConfirmDialog
        opened={ending !== null}
        onClose={() => setEnding(null)}
        question={t('keys.endQuestion', { name: ending?.name })}
        verb={t('keys.end')}
        danger
        onConfirm={() => ending && end(ending)}
      >
        {t('keys.endText')}
      </ConfirmDialog>
    </>
  );
}

function useColumns(): GridColumn<ApiKey>[] {
  const { t, i18n } = useTranslation('account');
  return useMemo(
    (): GridColumn<ApiKey>[] => [
      { id: 'name', title: t('keys.name'), width: 200, card: 'title', hideable: false },
      { id: 'role', title: t('keys.role'), width: 120, text: (row) => roleTitle(row.role?.title ?? row.roleName) },
      {
        id: 'tokenEnd',
        title: t('keys.tokenEnd'),
        width: 100,
        text: (row) => `…${row.tokenEnd}`,
        cell: (row) => (
          <Text size="sm" ff="monospace" span>
            …{row.tokenEnd}
          </Text>
        ),
      },
      {
        id: 'createdAt',
        title: t('keys.createdAt'),
        width: 140,
        cell: (row) => <RelativeTime value={row.createdAt} />,
      },
      {
        id: 'lastUsedAt',
        title: t('keys.lastUsedAt'),
        width: 140,
        text: (row) => row.lastUsedAt ?? '',
        cell: (row) => (row.lastUsedAt ? <RelativeTime value={row.lastUsedAt} /> : t('keys.unused')),
      },
      {
        id: 'expiresAt',
        title: t('keys.expiresAt'),
        width: 180,
        card: 'status',
        text: (row) => row.expiresAt ?? t('keys.never'),
        sortValue: (row) => row.expiresAt,
        cell: (row) => <Expiry at={row.expiresAt} language={i18n.language} />,
      },
    ],
    [t, i18n.language],
  );
}

function Expiry({ at, language }: { at: string | null; language: string }) {
  const { t } = useTranslation('account');
  if (at === null) return <StatusChip tone="idle">{t('keys.never')}</StatusChip>;
  const left = new Date(at).getTime() - Date.now();
  const day = new Intl.DateTimeFormat(language, { dateStyle: 'medium' }).format(new Date(at));
  if (left <= 0) return <StatusChip tone="bad">{t('keys.expired', { day })}</StatusChip>;
  return <StatusChip tone={left < SOON_MS ? 'warn' : 'good'}>{day}</StatusChip>;
}
