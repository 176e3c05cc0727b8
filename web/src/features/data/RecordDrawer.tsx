import { ActionIcon, Button, Group, Skeleton, Stack, Text, Tooltip } from '@mantine/core';
import { IconChevronDown, IconChevronUp, IconMaximize, IconPencil, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { boot } from '../../app/boot';
import { CopyText } from '../../ui/CopyText';
import { ErrorState } from '../../ui/ErrorState';
import { FormDrawer } from '../../ui/FormDrawer';
import { useShortcuts } from '../../ui/DataGrid';
import { collectionTitle, editableFields, recordTitle, treeOf, type CollectionMeta, type RecordRow } from './model';
import { recordQuery } from './queries';
import { RecordDetails } from './RecordDetails';
import { RecordFormDrawer } from './RecordFormDrawer';
import type { RecordsSearch } from './routes';
import type { FormPlace } from './useRecordForm';
import { lastTouched } from './whoChanged';

interface Props {
  collection: CollectionMeta;
  /** Rows of the list behind, for previous and next. */
  rows: RecordRow[];
  rowId: (row: RecordRow) => string;
  onShow: (record: string | undefined, edit?: boolean) => void;
  onDeleted: (ids: string[], message: string) => void;
}

/** A record beside its list: shown, edited or new. Which one is in the URL. */
export function RecordDrawer(props: Props) {
  const { collection, onShow } = props;
  const search: RecordsSearch = useSearch({ strict: false });
  const record = search.record === undefined ? undefined : String(search.record);
  const isNew = record === 'new';
  const row = useQuery({ ...recordQuery(collection, record ?? ''), enabled: record !== undefined && !isNew });
  const place = useMemo(() => placeBelow(collection, search.above), [collection, search.above]);
  const close = () => onShow(undefined);
  if (record === undefined) return null;
  if (isNew || (search.edit && row.data)) {
    return (
      <RecordFormDrawer
        key={record}
        place={isNew ? place : undefined}
        collection={collection}
        record={isNew ? null : (row.data ?? null)}
        recordKey={isNew ? null : record}
        onClose={close}
        onSaved={isNew ? undefined : () => onShow(record)}
      />
    );
  }
  return <RecordViewDrawer {...props} record={record} query={row} onClose={close} />;
}

/** A new record below another one of its tree. */
function placeBelow(collection: CollectionMeta, above: string | number | undefined): FormPlace | undefined {
  const tree = treeOf(collection);
  if (!tree || above === undefined) return undefined;
  return { resource: `${collection.name}/${encodeURIComponent(String(above))}/${tree.children}`, without: [tree.parent] };
}

interface ViewProps extends Props {
  record: string;
  query: { data: RecordRow | null | undefined; error: Error | null; refetch: () => unknown };
  onClose: () => void;
}

function RecordViewDrawer({ collection, rows, rowId, onShow, onDeleted, record, query, onClose }: ViewProps) {
  const { t } = useTranslation('data');
  const at = rows.findIndex((row) => rowId(row) === record);
  const step = (by: number) => {
    const next = at >= 0 ? rows[at + by] : undefined;
    return next ? () => onShow(rowId(next)) : undefined;
  };
  const { data } = query;
  const title = data ? recordTitle(collection, data) : collectionTitle(collection);
  const remove = () => {
    onClose();
    onDeleted([record], t('deletedOne', { name: title }));
  };
  return (
    <FormDrawer
      opened
      onClose={onClose}
      title={title}
      footer={
        data && (
          <Group justify="space-between">
            <Button variant="subtle" color="red" c="var(--mantine-color-error)" leftSection={<IconTrash size={16} />} onClick={remove}>
              {t('delete')}
            </Button>
            {editableFields(collection).length > 0 && (
              <Button leftSection={<IconPencil size={16} />} onClick={() => onShow(record, true)}>
                {t('edit')}
              </Button>
            )}
          </Group>
        )
      }
    >
      <Stack gap="md">
        <Group gap={4} justify="flex-end" wrap="nowrap">
          <Text size="xs" c="dimmed" flex={1}>
            {data && lastTouched(data)}
          </Text>
          <CopyText text={addressOf(collection, record)} name={t('record.link')} />
          <StepButton label={t('record.previous')} onClick={step(-1)} icon={<IconChevronUp size={18} />} />
          <StepButton label={t('record.next')} onClick={step(1)} icon={<IconChevronDown size={18} />} />
          <Tooltip label={t('record.fullPage')}>
            <ActionIcon
              variant="subtle"
              color="gray"
              size="lg"
              aria-label={t('record.fullPage')}
              component={Link}
              to="/admin/r/$collection/$id"
              params={{ collection: collection.name, id: record } as never}
            >
              <IconMaximize size={18} />
            </ActionIcon>
          </Tooltip>
        </Group>
        {query.error && <ErrorState error={query.error} onRetry={() => void query.refetch()} />}
        {data === undefined && !query.error && <Skeleton height={200} />}
        {data === null && <Text c="dimmed">{t('record.missing')}</Text>}
        {data && <RecordDetails collection={collection} record={data} />}
      </Stack>
      <StepKeys previous={step(-1)} next={step(1)} />
    </FormDrawer>
  );
}

/** Full address of a record's page. */
function addressOf(collection: CollectionMeta, id: string): string {
  return `${window.location.origin}${boot.basePath}/admin/r/${encodeURIComponent(collection.name)}/${encodeURIComponent(id)}`;
}

function StepButton({ label, onClick, icon }: { label: string; onClick: (() => void) | undefined; icon: React.ReactNode }) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" size="lg" aria-label={label} disabled={!onClick} onClick={onClick}>
        {icon}
      </ActionIcon>
    </Tooltip>
  );
}

/** `j` and `k` walk through the list, inside the drawer too. */
function StepKeys({ previous, next }: { previous: (() => void) | undefined; next: (() => void) | undefined }) {
  useShortcuts({ k: previous, j: next }, { inDialog: true });
  return null;
}
