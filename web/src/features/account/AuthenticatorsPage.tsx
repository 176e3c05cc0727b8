import { Button, Switch } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { api } from '../../app/api';
import { signInMethodsQuery } from '../../app/signInMethods';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { DataGrid, type GridColumn, useGridState, useLocalPage } from '../../ui/DataGrid';
import { toast } from '../../ui/toasts';
import { AuthenticatorDrawer } from './AuthenticatorDrawer';
import { type Authenticator, authenticatorsQuery } from './queries';

/** The ways to sign in to this app. */
export function AuthenticatorsPage() {
  const { t } = useTranslation('account');
  const client = useQueryClient();
  const [state, setState] = useGridState('authenticators');
  const [edited, edit] = useState<Authenticator | 'new' | null>(null);
  const [removing, setRemoving] = useState<Authenticator | null>(null);
  const all = useQuery(authenticatorsQuery);
  const refresh = async () => {
    await client.invalidateQueries({ queryKey: authenticatorsQuery.queryKey });
    await client.invalidateQueries({ queryKey: signInMethodsQuery.queryKey });
  };
  const columns = useColumns(refresh);
  const query = useLocalPage(all, state, columns);
  const button = (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => edit('new')}>
      {t('methods.new')}
    </Button>
  );
  return (
    <>
      <DataGrid
        gridKey="authenticators"
        label={t('methods.title')}
        title={t('methods.title')}
        description={t('methods.text')}
        columns={columns}
        query={query}
        state={state}
        onState={setState}
        rowId={(row) => String(row.id)}
        onOpen={edit}
        primary={button}
        rowActions={() => [
          { id: 'delete', label: t('methods.delete'), icon: <IconTrash size={16} aria-hidden />, danger: true, onAction: setRemoving },
        ]}
        empty={{ text: t('methods.empty'), action: button }}
      />
      {edited && (
        <AuthenticatorDrawer
          authenticator={edited === 'new' ? null : edited}
          last={Math.max(0, ...(all.data ?? []).map((each) => each.sort ?? 0))}
          onClose={() => edit(null)}
          onSaved={refresh}
        />
      )}
      <ConfirmDialog
        opened={removing !== null}
        onClose={() => setRemoving(null)}
        question={t('methods.deleteQuestion', { title: removing?.title || removing?.name })}
        verb={t('methods.delete')}
        danger
        onConfirm={async () => {
          if (removing) await api.resource('authenticators').destroy(removing.id);
          await refresh();
        }}
      >
        {t('methods.deleteText')}
      </ConfirmDialog>
    </>
  );
}

function useColumns(refresh: () => Promise<void>): GridColumn<Authenticator>[] {
  const { t } = useTranslation('account');
  return useMemo(
    (): GridColumn<Authenticator>[] => [
      { id: 'title', title: t('methods.name'), width: 240, card: 'title', hideable: false, text: (row) => row.title || row.name },
      { id: 'name', title: t('methods.id'), width: 160 },
      { id: 'authType', title: t('methods.type'), width: 160, text: (row) => t(`methods.types.${row.authType}`, { defaultValue: row.authType }) },
      {
        id: 'signUp',
        title: t('methods.signUp'),
        width: 150,
        text: (row) => t(row.options?.public?.allowSignUp ? 'methods.allowed' : 'methods.closed'),
      },
      {
        id: 'enabled',
        title: t('methods.enabled'),
        width: 120,
        card: 'status',
        interactive: true,
        text: (row) => t(row.enabled ? 'methods.on' : 'methods.off'),
        cell: (row) => <EnabledSwitch row={row} onChanged={refresh} />,
      },
    ],
    [t, refresh],
  );
}

function EnabledSwitch({ row, onChanged }: { row: Authenticator; onChanged: () => Promise<void> }) {
  const { t } = useTranslation('account');
  const [busy, setBusy] = useState(false);
  const change = async (enabled: boolean) => {
    setBusy(true);
    try {
      await api.resource('authenticators').update(row.id, { id: row.id, enabled });
    } catch (error) {
      toast.error(error);
    } finally {
      await onChanged();
      setBusy(false);
    }
  };
  return (
    <Switch
      size="sm"
      checked={row.enabled}
      disabled={busy}
      aria-label={t('methods.enable', { title: row.title || row.name })}
      onChange={(event) => void change(event.currentTarget.checked)}
    />
  );
}
