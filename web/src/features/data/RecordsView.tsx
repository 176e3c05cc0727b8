import { IconFileExport, IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useRouter } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useMemo, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../../app/api';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { DataGrid, useGridState, useShownColumns, type GridSelection } from '../../ui/DataGrid';
import { toast } from '../../ui/toasts';
import { WriteButton } from '../../ui/WriteButton';
import { AT_ONCE, deleteAsTask, type BulkSelection } from '../transfer/bulk';
import { TransferMenu } from '../transfer/TransferMenu';
import { collectionTitle, editableFields, keyField, recordTitle, shownFields, treeOf, type CollectionMeta, type RecordRow } from './model';
import { pendingDeletes, useWithoutDeleted } from './pendingDeletes';
import { countRecords, listFilter, levelOf, recordsQuery, useRecordFilterFields, useRefreshRecords, useShownAppends } from './queries';
import { recordColumns } from './recordColumns';
import { RecordDrawer } from './RecordDrawer';
import { interfaceOf } from '../../fields';
import { recordParam } from './routes';
import { useLiveRecords } from './useLiveRecords';
import { useRecordEditing } from './useRecordEditing';
import { useReturnFocus } from './useReturnFocus';

const BulkEdit = lazy(() => import('../transfer/BulkEdit'));
const ExportDialog = lazy(() => import('../transfer/ExportDialog'));

interface Props {
  collection: CollectionMeta;
  /** Absent inside the designer, which has a title of its own. */
  title?: ReactNode;
  toolbar?: ReactNode;
}

/** Up to this many records go with undo; more are asked about first. */
const UNDO_LIMIT = 50;

/** The records of a tree and all below them, which go with them. */
function withBelow(rows: RecordRow[], ids: string[], rowId: (row: RecordRow) => string): string[] {
  let above: number | null = null;
  return rows.flatMap((row) => {
    const level = levelOf(row);
    if (above !== null && level > above) return [rowId(row)];
    above = ids.includes(rowId(row)) ? level : null;
    return above === null ? [] : [rowId(row)];
  });
}

/** The records of one collection: list, search, filter, edit, delete. */
export function RecordsView({ collection, title, toolbar }: Props) {
  const { t } = useTranslation(['data', 'fields', 'ui', 'transfer']);
  const router = useRouter();
  const navigate = useNavigate();
  const gridKey = `records.${collection.name}`;
  const [state, setState, views] = useGridState(gridKey, { views: true });
  const [asked, setAsked] = useState<{ selection: GridSelection<RecordRow>; count: number } | null>(null);
  const [changed, setChanged] = useState<BulkSelection | null>(null);
  const [exported, setExported] = useState<BulkSelection | null>(null);
  const client = useQueryClient();
    const key = keyField(collection);
  const rowId = useCallback((row: RecordRow) => String(key ? row[key] : JSON.stringify(row)), [key]);
  const inTree = useMemo(() => treeOf(collection), [collection]);
  // Where a record stands says what is above and below it.
  const columns = useMemo(
    () => recordColumns(collection).filter(({ id }) => id !== inTree?.children).map((column) => (column.id === inTree?.parent ? { ...column, hidden: true } : column)),
    [collection, inTree],
  );
  const shownColumns = useShownColumns(gridKey, views.active, columns);
  const appends = useShownAppends(collection, shownColumns);
  const query = useQuery({ ...recordsQuery(collection, state, { appends, tree: inTree?.children }), enabled: !views.waiting });
  const page = useWithoutDeleted(collection.name, query.data, rowId);
  const isSearched = state.q !== '' || state.filter !== null;
  const tree = useMemo(() => (inTree ? { levelOf, unfolded: isSearched } : undefined), [inTree, isSearched]);
  const filter = listFilter(collection, state) ?? undefined;
  const { data: matching } = useQuery({
    queryKey: ['count', collection.name, filter],
    queryFn: () => countRecords(collection.name, filter),
    enabled: inTree !== null,
  });
  const filterFields = useRecordFilterFields(collection);
  const refresh = useRefreshRecords(collection.name);
  const searchable = useMemo(() => shownFields(collection).some((field) => interfaceOf(field).searchable), [collection]);
  const writable = editableFields(collection).length > 0;

  const editing = useRecordEditing(collection, rowId);
  const live = useLiveRecords({
    collection,
    state,
    appends,
    rowId,
    rows: page?.rows ?? [],
    isFetching: query.isFetching,
    onFirstPage: () => setState({ page: 1 }),
  });

  const rememberFocus = useReturnFocus();
  const show = useCallback(
    (record: string | undefined, edit?: boolean) => {
      rememberFocus(record !== undefined);
      void navigate({
        to: '.',
        search: (old: Record<string, unknown>) => ({ ...old, record: record === undefined ? undefined : recordParam(record), above: undefined, edit: edit || undefined }),
        // The drawer asks for itself before it closes.
        ignoreBlocker: true,
      });
    },
    [navigate, rememberFocus],
  );
  const showNewBelow = (above: string) => {
    rememberFocus(true);
    void navigate({ to: '.', search: (old: Record<string, unknown>) => ({ ...old, record: 'new', above: recordParam(above), edit: undefined }), ignoreBlocker: true });
  };
  const rowHref = (row: RecordRow) =>
    router.buildLocation({ to: '/admin/r/$collection/$id', params: { collection: collection.name, id: rowId(row) } }).publicHref;
  const destroy = (ids: string[], message: string) => pendingDeletes.start(collection.name, tree ? withBelow(page?.rows ?? [], ids, rowId) : ids, message);
  const destroyMany = async (selection: GridSelection<RecordRow>) => {
    if (!selection.allMatching && selection.count <= UNDO_LIMIT) {
      return destroy(selection.ids, t('deletedMany', { count: selection.count }));
    }
    // The list may be old: the server says how many it really are.
    const filter = listFilter(collection, state) ?? undefined;
    const count = selection.allMatching ? await countRecords(collection.name, filter) : selection.count;
    setAsked({ selection, count: count ?? selection.count });
  };
  const bulk = (selection: GridSelection<RecordRow>, count: number): BulkSelection => ({
    ids: selection.ids, allMatching: selection.allMatching, count, filter: listFilter(collection, state), keyName: key ?? 'id',
  });
  const editMany = async (selection: GridSelection<RecordRow>) => {
    const count = selection.allMatching ? await countRecords(collection.name, listFilter(collection, state) ?? undefined) : selection.count;
    setChanged(bulk(selection, count ?? selection.count));
  };
  const confirmed = async () => {
    if (!asked || !key) return;
    if (asked.selection.allMatching || asked.count > AT_ONCE) return deleteAsTask(client, collection.name, bulk(asked.selection, asked.count));
    const params = { filterByTk: JSON.stringify(asked.selection.ids) };
    const count = await api.resource(collection.name).action<number>('destroy', { params });
    await refresh();
    toast.success(t('deletedMany', { count }));
  };
  const createButton = writable && (
    <WriteButton leftSection={<IconPlus size={16} />} onClick={() => show('new')}>
      {t('record.new')}
    </WriteButton>
  );

  return (
    <>
      <DataGrid
        gridKey={gridKey}
        label={collectionTitle(collection)}
        title={title}
        primary={title === undefined ? undefined : createButton}
        toolbar={
          <>
            {title === undefined && createButton}
            {toolbar}
            {key && <TransferMenu collection={collection} state={state} shown={shownColumns} onImported={() => void refresh()} />}
          </>
        }
        columns={columns}
        query={{ ...query, data: page }}
        state={state}
        onState={setState}
        tree={tree}
        matching={inTree ? (matching ?? undefined) : undefined}
        views={views}
        rowId={rowId}
        rowName={(row) => recordTitle(collection, row)}
        rowHref={key ? rowHref : undefined}
        onOpen={key ? (row) => show(rowId(row)) : undefined}
        onEdit={key && writable ? (row) => show(rowId(row), true) : undefined}
        onDelete={key ? (row) => destroy([rowId(row)], t('deletedOne', { name: recordTitle(collection, row) })) : undefined}
        onCreate={writable ? () => show('new') : undefined}
        rowActions={
          inTree && writable
            ? (row) => [{ id: 'child', writes: true, label: t('record.newChild'), icon: <IconPlus size={16} />, onAction: () => showNewBelow(rowId(row)) }]
            : undefined
        }
        bulkActions={
          key
            ? [
                ...(writable ? [{ id: 'edit', label: t('bulk.edit', { ns: 'transfer' }), icon: <IconPencil size={16} />, onAction: (selection: GridSelection<RecordRow>) => editMany(selection).catch(toast.error) }] : []),
                { id: 'export', label: t('export.menu', { ns: 'transfer' }), icon: <IconFileExport size={16} />, onAction: (selection: GridSelection<RecordRow>) => setExported(bulk(selection, selection.count)) },
                { id: 'delete', label: t('delete'), icon: <IconTrash size={16} />, danger: true, onAction: (selection) => destroyMany(selection).catch(toast.error) },
              ]
            : undefined
        }
        live={live}
        editing={key ? editing : undefined}
        filterFields={filterFields}
        searchable={searchable}
        empty={{ text: t('record.empty', { title: collectionTitle(collection) }), action: createButton }}
      />
      <RecordDrawer collection={collection} rows={page?.rows ?? []} rowId={rowId} onShow={show} onDeleted={destroy} />
      <Suspense fallback={null}>
        {exported && <ExportDialog collection={collection} state={state} shown={shownColumns} selection={exported} onClose={() => setExported(null)} />}
        {changed && <BulkEdit collection={collection} selection={changed} onClose={() => setChanged(null)} onChanged={refresh} />}
      </Suspense>
      <ConfirmDialog
        opened={asked !== null}
        onClose={() => setAsked(null)}
        question={t('deleteMany.question', { count: asked?.count ?? 0 })}
        verb={t('deleteMany.verb', { count: asked?.count ?? 0 })}
        danger
        onConfirm={confirmed}
      >
        {t('deleteMany.consequence')}
      </ConfirmDialog>
    </>
  );
}
