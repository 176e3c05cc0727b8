import { Badge, Button } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { DataGrid, useGridState, useLocalPage, type GridColumn } from '../../ui/DataGrid';
import { fileSize } from '../../fields/parts/fileModel';
import { kindsOf, storagesQuery, titleOf, type StorageRow } from './model';
import type { StoragesSearch } from './routes';
import { StorageDrawer } from './StorageDrawer';

/** Where this app keeps its files. */
export function StoragesPage() {
  const { t } = useTranslation('files');
  const navigate = useNavigate();
  const { storage } = useSearch({ strict: false }) as StoragesSearch;
  const [state, setState] = useGridState('storages');
  const columns = useColumns();
  const all = useQuery(storagesQuery);
  const query = useLocalPage(all, state, columns);
  const open = (value: string | number | undefined) => void navigate({ to: '.', search: (old: StoragesSearch) => ({ ...old, storage: value }) as never });
  const row = all.data?.find((each) => each.id === Number(storage)) ?? null;
  return (
    <>
      <DataGrid
        gridKey="storages"
        label={t('title')}
        title={t('title')}
        columns={columns}
        query={query}
        state={state}
        onState={setState}
        rowId={(each) => String(each.id)}
        onOpen={(each) => open(each.id)}
        empty={{ text: t('empty') }}
        primary={
          <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => open('new')}>
            {t('new')}
          </Button>
        }
      />
      {(storage === 'new' || row) && <StorageDrawer key={storage} row={row} onClose={() => open(undefined)} />}
    </>
  );
}

function useColumns(): GridColumn<StorageRow>[] {
  const { t, i18n } = useTranslation('files');
  return useMemo(
    (): GridColumn<StorageRow>[] => [
      { id: 'title', title: t('columns.title'), width: 220, pin: 'left', card: 'title', hideable: false, text: titleOf },
      { id: 'name', title: t('columns.name'), width: 140, card: 'field', text: (row) => row.name },
      { id: 'type', title: t('columns.type'), width: 130, card: 'field', text: (row) => t(`type.${row.type}`, { defaultValue: row.type }) },
      {
        id: 'default',
        title: t('columns.default'),
        width: 110,
        card: 'status',
        text: (row) => (row.default ? t('default') : ''),
        cell: (row) => (row.default ? <Badge variant="light">{t('default')}</Badge> : null),
      },
      { id: 'path', title: t('columns.path'), width: 160, card: 'field', text: (row) => row.path ?? '' },
      {
        id: 'size',
        title: t('columns.size'),
        width: 120,
        card: 'field',
        text: (row) => (row.rules?.size ? fileSize(row.rules.size, i18n.language) : ''),
        sortValue: (row) => row.rules?.size ?? 0,
      },
      { id: 'kinds', title: t('columns.kinds'), width: 200, card: 'field', text: (row) => kindsOf(row) || t('anyKind') },
    ],
    [t, i18n.language],
  );
}
