import { Button, Switch } from '@mantine/core';
import { IconPlus, IconTable } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useRouter, useSearch } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { mayConfigure, useAccount } from '../../app/account';
import { DataGrid, useGridState, useLocalPage, type GridColumn } from '../../ui/DataGrid';
import { DeleteCollection } from './DeleteCollection';
import { collectionTitle, fieldsOf, type CollectionMeta } from './model';
import { NewCollection } from './NewCollection';
import { collectionsQuery } from './queries';
import { RecordCount } from './RecordCount';

const PATH = '/admin/settings/data/$source/collections';

/** What kinds of records this app has. */
export function CollectionsPage() {
  const { t } = useTranslation(['data', 'fields', 'ui']);
  const router = useRouter();
  const navigate = useNavigate({ from: PATH });
  const { create, system = false } = useSearch({ from: PATH });
  const account = useAccount();
  const [deleting, setDeleting] = useState<CollectionMeta | null>(null);
  const [state, setState] = useGridState('collections');
  const columns = useMemo<GridColumn<CollectionMeta>[]>(
    () => [
      { id: 'title', title: t('column.title'), width: 240, text: collectionTitle, sortValue: collectionTitle, card: 'title' },
      { id: 'name', title: t('column.name'), width: 200 },
      {
        id: 'kind',
        title: t('column.kind'),
        width: 110,
        text: (row) => t(row.system === true ? 'kind.system' : row.tree ? 'kind.tree' : 'kind.general'),
        sortValue: (row) => (row.system === true ? 2 : row.tree ? 1 : 0),
      },
      {
        id: 'fields',
        title: t('column.fields'),
        width: 110,
        align: 'end',
        text: (row) => String(fieldsOf(row).length),
        sortValue: (row) => fieldsOf(row).length,
      },
      {
        id: 'records',
        title: t('column.records'),
        width: 120,
        align: 'end',
        sortable: false,
        text: () => '',
        cell: (row) => <RecordCount collection={row.name} />,
      },
      { id: 'description', title: t('column.description'), width: 320, text: (row) => row.description ?? '' },
    ],
    [t],
  );
  const all = useQuery(collectionsQuery);
  const data = useMemo(() => {
    const own = all.data?.filter((row) => row.system !== true);
    return system ? own?.concat(all.data?.filter((row) => row.system === true) ?? []) : own;
  }, [all.data, system]);
  const query = useLocalPage({ ...all, data }, state, columns);
  const configure = mayConfigure(account);
  const setCreate = (on: boolean) =>
    void navigate({ search: (old) => ({ ...old, create: on || undefined }), replace: !on });
  const params = (row: CollectionMeta) => ({ source: 'main', collection: row.name, tab: 'fields' });
  const to = '/admin/settings/data/$source/collections/$collection/$tab' as const;
  const newButton = configure && (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setCreate(true)}>
      {t('collections.new')}
    </Button>
  );
  return (
    <>
      <DataGrid
        gridKey="collections"
        label={t('collections.title')}
        title={t('collections.title')}
        description={t('collections.description')}
        primary={newButton}
        toolbar={
          <Switch
            label={t('collections.showSystem')}
            checked={system}
            onChange={(event) => {
              const on = event.currentTarget.checked;
              void navigate({ search: (old) => ({ ...old, system: on || undefined }), replace: true });
            }}
          />
        }
        columns={columns}
        query={query}
        state={state}
        onState={setState}
        rowId={(row) => row.name}
        rowHref={(row) => router.buildLocation({ to, params: params(row) }).publicHref}
        onOpen={(row) => void router.navigate({ to, params: params(row) })}
        onCreate={configure ? () => setCreate(true) : undefined}
        onDelete={configure ? (row) => row.system !== true && setDeleting(row) : undefined}
        rowActions={(row) => [
          {
            id: 'data',
            label: t('collections.viewData'),
            icon: <IconTable size={16} />,
            onAction: () => void router.navigate({ to: '/admin/r/$collection', params: { collection: row.name } }),
          },
        ]}
        empty={{ text: t('collections.empty'), action: newButton }}
      />
      {create && configure && <NewCollection onClose={() => setCreate(false)} />}
      <DeleteCollection collection={deleting} onClose={() => setDeleting(null)} />
    </>
  );
}
