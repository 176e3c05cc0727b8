import { Anchor, Breadcrumbs, Button, Group, Skeleton } from '@mantine/core';
import { IconPencil, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { EmptyState } from '../../ui/EmptyState';
import { ErrorState } from '../../ui/ErrorState';
import { PageHeader } from '../../ui/PageHeader';
import { useShortcuts } from '../../ui/DataGrid';
import { WriteButton } from '../../ui/WriteButton';
import { CollectionGate } from './CollectionGate';
import { collectionTitle, editableFields, recordTitle, type CollectionMeta } from './model';
import { pendingDeletes } from './pendingDeletes';
import { recordQuery } from './queries';
import { RecordFormDrawer } from './RecordFormDrawer';
import { RecordTabs } from './RecordTabs';
import { useLiveRecord } from './useLiveRecords';

/** `/admin/r/<collection>/<id>`: one record on a page of its own. */
export function RecordPage() {
  const { collection: name, id } = useParams({ from: '/admin/r/$collection/$id' });
  return (
    <CollectionGate name={name} waiting={<Skeleton height={240} />}>
      {(collection) => <Content key={`${name}/${id}`} collection={collection} id={id} />}
    </CollectionGate>
  );
}

function Content({ collection, id }: { collection: CollectionMeta; id: string }) {
  const { t } = useTranslation('data');
  const navigate = useNavigate();
  const { edit } = useSearch({ from: '/admin/r/$collection/$id' });
  const query = useQuery(recordQuery(collection, id));
  const record = query.data;
  useLiveRecord(collection, id);
  const setEdit = (on: boolean) => void navigate({ to: '.', search: (old: Record<string, unknown>) => ({ ...old, edit: on || undefined }), ignoreBlocker: true });
  const toList = () => void navigate({ to: '/admin/r/$collection', params: { collection: collection.name } });
  const writable = editableFields(collection).length > 0;
  const remove = () => {
    if (!record) return;
    pendingDeletes.start(collection.name, [id], t('deletedOne', { name: recordTitle(collection, record) }));
    toList();
  };
  useShortcuts({ e: record && writable ? () => setEdit(true) : undefined });
  const crumbs = (
    <Breadcrumbs mb="xs">
      <Anchor component={Link} to="/admin/r/$collection" params={{ collection: collection.name } as never} size="sm">
        {collectionTitle(collection)}
      </Anchor>
      <span aria-current="page">{record ? recordTitle(collection, record) : id}</span>
    </Breadcrumbs>
  );
  if (query.error) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  if (record === null) {
    return (
      <EmptyState action={<Button variant="default" onClick={toList}>{collectionTitle(collection)}</Button>}>
        {t('record.missing')}
      </EmptyState>
    );
  }
  return (
    <>
      {crumbs}
      <PageHeader
        title={record ? recordTitle(collection, record) : <Skeleton height={24} width={200} />}
        actions={
          record && (
            <Group gap="xs">
              <WriteButton variant="subtle" color="red" c="var(--mantine-color-error)" leftSection={<IconTrash size={16} />} onClick={remove}>
                {t('delete')}
              </WriteButton>
              {writable && (
                <WriteButton leftSection={<IconPencil size={16} />} onClick={() => setEdit(true)}>
                  {t('edit')}
                </WriteButton>
              )}
            </Group>
          )
        }
      />
      <RecordTabs collection={collection} recordKey={id} record={record} />
      {edit && record && (
        <RecordFormDrawer collection={collection} record={record} recordKey={id} onClose={() => setEdit(false)} />
      )}
    </>
  );
}
