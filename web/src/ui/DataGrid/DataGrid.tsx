import { Button, Group, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import type { TFunction } from 'i18next';
import { useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { FilterButton, FilterPills, type FilterField } from '../FilterBuilder';
import { useOnline } from '../../app/connection';
import { ApiError } from '../../app/errors';
import { announce, announceError } from '../announce';
import { BlockBoundary } from '../BlockBoundary';
import { EmptyState } from '../EmptyState';
import { ErrorState } from '../ErrorState';
import { PageHeader } from '../PageHeader';
import { Cards, SkeletonCards } from './Cards';
import classes from './DataGrid.module.css';
import { FailedBar } from './FailedBar';
import { Footer } from './Footer';
import { GridTableView } from './GridTableView';
import { KeyHelp } from './KeyHelp';
import { PrintTable } from './PrintTable';
import { EmptyFiltered, EmptyFirstUse, EmptyPage } from './States';
import { SelectionBar } from './SelectionBar';
import { sayOffline } from '../toasts';
import { Toolbar } from './Toolbar';
import { cardColumns } from './Cards';
import { cellText, type GridAction, type GridBulkAction, type GridColumn, type GridEditing, type GridEmpty, type GridLive, type GridQuery, type GridState } from './types';
import { useAnnouncedResults } from './useAnnouncedResults';
import { useTreeRows, type GridTree } from './tree';
import { useCellEdits } from './useCellEdits';
import { useDelayed } from './useDelayed';
import { useFlash } from './useFlash';
import { useGridTable } from './useGridTable';
import { useSelection } from './useSelection';
import { useShortcuts } from './useShortcuts';
import type { GridViews } from './views';
import { ViewsMenu } from './ViewsMenu';

export interface DataGridProps<Row extends object> {
  /** Names the list in its user's preferences, e.g. `records.orders`. */
  gridKey: string;
  /** Accessible name of the list. */
  label: string;
  columns: GridColumn<Row>[];
  query: GridQuery<Row>;
  state: GridState;
  onState: (patch: Partial<GridState>) => void;
  /** The rows are a tree, and come in its order. */
  tree?: GridTree<Row>;
  /** How many rows match in all, where that is not the total of the list: a tree counts what is at the top. */
  matching?: number;
  /** Turns saved views on; from `useGridState`. */
  views?: GridViews;
  rowId: (row: Row) => string;
  /** Names a row for assistive technology; default is the text of the title column. */
  rowName?: (row: Row) => string;
  /** Address of a row; makes the title a real link and enables `o`. Full path including the base path. */
  rowHref?: (row: Row) => string;
  onOpen?: (row: Row) => void;
  onEdit?: (row: Row) => void;
  onDelete?: (row: Row) => void;
  /** `c`. */
  onCreate?: () => void;
  /** Further entries of the row menu; open, edit and delete are added from the callbacks above. */
  rowActions?: (row: Row) => GridAction<Row>[];
  /** Makes rows selectable. */
  bulkActions?: GridBulkAction<Row>[];
  /** Changes that others make. */
  live?: GridLive;
  /** Turns editing in cells on, for columns that have `edit`. */
  editing?: GridEditing<Row>;
  /** Turns the filter on. */
  filterFields?: FilterField[];
  /** Default true. */
  searchable?: boolean;
  /** Title row above the toolbar, with the number of rows. Left out when absent. */
  title?: ReactNode;
  description?: ReactNode;
  /** Primary button of the title row. */
  primary?: ReactNode;
  /** Further buttons of the toolbar. */
  toolbar?: ReactNode;
  empty?: GridEmpty;
  /** The table ends where the window ends; this many pixels are left free for what stands below it. */
  reserve?: number;
}

const SKELETON_AFTER_MS = 150;
const PHONE = '(max-width: 639.98px)';

/** The one list of the product; see types.ts for columns, state and query. */
export function DataGrid<Row extends object>(props: DataGridProps<Row>) {
  return (
    <BlockBoundary>
      <Grid {...props} />
    </BlockBoundary>
  );
}

function Grid<Row extends object>(given: DataGridProps<Row>) {
  const props = useWritable(given);
  const { columns, query, state, rowId, bulkActions, filterFields } = props;
  const { t, i18n } = useTranslation('grid');
  const phone = useMediaQuery(PHONE, undefined, { getInitialValueInEffect: false }) ?? false;
  const loaded = query.data?.rows ?? (NO_ROWS as Row[]);
  const total = query.data?.total;
  const saved = useRef(new Set<string>());
  const cellEdits = useCellEdits({
    columns,
    rowId,
    editing: props.editing,
    onFailed: announceError,
    onSaved: (id) => {
      saved.current.add(id);
      announce(t('edits.saved'));
    },
  });
  const edited = useMemo(() => cellEdits?.edits.overlay(loaded) ?? loaded, [cellEdits, loaded]);
  const tree = useTreeRows(edited, props.tree, rowId);
  const rows = tree?.rows ?? edited;
  // The total of a tree counts what is at the top: "all that match" would say less than there is.
  const matching = props.matching ?? (tree ? undefined : total);
  const selection = useSelection(rows, rowId, state, matching);
  const actions = useRowActions(props);
  const hasActions = props.rowActions !== undefined || Boolean(props.onOpen ?? props.onEdit ?? props.onDelete);
  const selectable = (bulkActions?.length ?? 0) > 0;
  const layout = useGridTable({ gridKey: props.gridKey, view: props.views?.active, columns, selectable, hasActions });
  const [help, setHelp] = useState(false);
  const [printing, setPrinting] = useState(false);
  const printed = useCallback(() => setPrinting(false), []);
  const [filterAt, setFilterAt] = useState<string | null>(null);
  const search = useRef<HTMLInputElement>(null);
  const flashed = useFlash(loaded, rowId, JSON.stringify(state), saved.current);
  const titleColumn = cardColumns(columns).title;
  const rowName = useCallback(
    (row: Row) => props.rowName?.(row) ?? ((titleColumn && cellText(titleColumn, row)) || rowId(row)),
    [props.rowName, titleColumn, rowId],
  );
  useShortcuts({ '/': () => search.current?.focus(), c: props.onCreate, '?': () => setHelp(true) });

  const onState = useCallback(
    (patch: Partial<GridState>) => {
      if (patch.size) layout.saveSize(patch.size);
      props.onState(patch);
    },
    [layout, props.onState],
  );
  const clear = () => onState({ q: '', filter: null });
  const first = useDelayed(query.data === undefined && !query.error, SKELETON_AFTER_MS);
  const isEmpty = query.data !== undefined && rows.length === 0;
  const isFiltered = state.q !== '' || state.filter !== null;
  const common = {
    rows,
    tree,
    rowId,
    rowName,
    rowHref: props.rowHref,
    onOpen: props.onOpen,
    actions,
    selection: selectable ? selection : null,
    offset: (state.page - 1) * state.size,
    titleId: titleColumn?.id,
    flashed,
    gone: props.live?.gone ?? NOBODY,
  };
  const fresh = state.page === 1 ? (props.live?.fresh ?? 0) : 0;
  useEffect(() => {
    if (fresh > 0) announce(t('live.fresh', { count: fresh }));
  }, [fresh, t]);
  const notice = fresh > 0 && (
    <Button size="compact-sm" radius="xl" mih={phone ? 44 : undefined} onClick={props.live?.onShow}>
      {t('live.show', { count: fresh })}
    </Button>
  );
  useAnnouncedResults(total, !query.isFetching && !query.isPlaceholderData, state);
  const format = new Intl.NumberFormat(i18n.language);
  return (
    <section className={classes.root} aria-label={props.label}>
      {props.title !== undefined && (
        <PageHeader
          title={props.title}
          description={props.description}
          count={total === undefined ? undefined : format.format(total)}
          actions={props.primary}
        />
      )}
      <Toolbar
        layout={layout}
        columns={columns}
        state={state}
        onState={onState}
        searchable={props.searchable ?? true}
        searchRef={search}
        fetching={query.isFetching}
        refresh={() => void query.refetch()}
        phone={phone}
        showKeys={() => setHelp(true)}
        extra={props.toolbar}
        print={loaded.length > 0 ? () => setPrinting(true) : undefined}
        viewsMenu={props.views && <ViewsMenu gridKey={props.gridKey} views={props.views} state={state} layout={layout} />}
        filterButton={
          filterFields && (
            <FilterButton
              fields={filterFields}
              filter={state.filter}
              onChange={(filter) => onState({ filter })}
              openAt={filterAt}
              onOpened={() => setFilterAt(null)}
              total={total}
            />
          )
        }
      />
      {filterFields && (
        <FilterPills
          fields={filterFields}
          filter={state.filter}
          onChange={(filter) => onState({ filter })}
          onEdit={setFilterAt}
        />
      )}
      {props.views?.missing && (
        <Group gap="xs">
          <Text size="sm" role="status">
            {t('views.missing')}
          </Text>
          <Button size="compact-sm" variant="subtle" onClick={() => props.views?.choose(null)}>
            {t('views.none')}
          </Button>
        </Group>
      )}
      {query.error !== null &&
        query.error !== undefined &&
        (query.error instanceof ApiError && query.error.status === 403 ? (
          <EmptyState>{t('noRight', { list: props.label })}</EmptyState>
        ) : (
          <ErrorState error={asError(query.error)} onRetry={() => void query.refetch()} />
        ))}
      {!(query.error && query.data === undefined) &&
        (phone ? (
          <>
            {first && <SkeletonCards />}
            {notice}
            {/* Cards are not edited: they show what is saved. */}
            {rows.length > 0 && <Cards {...common} rows={tree?.rows ?? loaded} label={props.label} columns={visible(columns, layout)} />}
          </>
        ) : (
          <GridTableView
            {...common}
            label={props.label}
            layout={layout}
            columns={columns}
            state={state}
            onState={onState}
            total={matching}
            skeleton={first}
            busy={query.isFetching && query.data !== undefined}
            stale={query.isPlaceholderData}
            reserve={props.reserve ?? 0}
            onEdit={props.onEdit}
            onDelete={props.onDelete}
            onFilter={filterFields && ((id) => setFilterAt(filterPath(filterFields, id)))}
            announce={announce}
            cellEdits={cellEdits}
            notice={notice}
          />
        ))}
      {isEmpty && state.page > 1 && <EmptyPage onFirst={() => onState({ page: 1 })} />}
      {isEmpty && state.page === 1 && (isFiltered ? <EmptyFiltered onClear={clear} /> : <EmptyFirstUse empty={props.empty} />)}
      {query.data && (rows.length > 0 || state.page > 1) && (
        <Footer state={state} onState={onState} shown={tree?.roots ?? rows.length} total={total} hasNext={query.data.hasNext} phone={phone} />
      )}
      {cellEdits && cellEdits.edits.failed > 0 && <FailedBar edits={cellEdits.edits} />}
      {selectable && <SelectionBar selection={selection} actions={bulkActions ?? []} total={matching} />}
      {printing && (
        <PrintTable
          title={[props.label, props.views?.active?.title].filter(Boolean).join(' – ')}
          range={rangeText(state, tree?.roots ?? rows.length, total, format, t)}
          columns={columns}
          layout={layout}
          rows={rows}
          rowId={rowId}
          onDone={printed}
        />
      )}
      <KeyHelp opened={help} onClose={() => setHelp(false)} editable={cellEdits !== null} />
    </section>
  );
}

function rangeText(state: GridState, shown: number, total: number | undefined, format: Intl.NumberFormat, t: TFunction): string {
  const first = (state.page - 1) * state.size;
  const bounds = { from: format.format(first + 1), to: format.format(first + shown) };
  return total === undefined ? t('rangeOpen', bounds) : t('range', { ...bounds, total: format.format(total) });
}

/** The field to filter by that belongs to a column; of a relation its first one. */
function filterPath(fields: FilterField[], column: string): string | null {
  const found = fields.find((field) => field.path === column) ?? fields.find((field) => field.column === column);
  return found?.path ?? null;
}

const NO_ROWS: object[] = [];
const NOBODY: ReadonlySet<string> = new Set();

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function visible<Row>(columns: GridColumn<Row>[], layout: { table: { getColumn: (id: string) => { getIsVisible: () => boolean } | undefined } }) {
  return columns.filter((column) => layout.table.getColumn(column.id)?.getIsVisible() ?? true);
}

/** Without a connection the keys that change something only say so; buttons and menus show it themselves. */
function useWritable<Row extends object>(props: DataGridProps<Row>): DataGridProps<Row> {
  const online = useOnline();
  return useMemo(() => {
    if (online) return props;
    const refuse = () => sayOffline();
    return { ...props, onEdit: props.onEdit && refuse, onDelete: props.onDelete && refuse, onCreate: props.onCreate && refuse };
  }, [online, props]);
}

/** Entries of a row's menu: open, edit, the screen's own, delete. */
function useRowActions<Row extends object>(props: DataGridProps<Row>): (row: Row) => GridAction<Row>[] {
  const { t } = useTranslation('grid');
  const { onOpen, onEdit, onDelete, rowActions } = props;
  return useMemo(
    () => (row: Row) => [
      ...(onOpen ? [{ id: 'open', label: t('open'), onAction: onOpen }] : []),
      ...(onEdit ? [{ id: 'edit', label: t('edit'), writes: true, onAction: onEdit }] : []),
      ...(rowActions?.(row) ?? []),
      ...(onDelete ? [{ id: 'delete', label: t('delete'), danger: true, writes: true, onAction: onDelete }] : []),
    ],
    [onOpen, onEdit, onDelete, rowActions, t],
  );
}
