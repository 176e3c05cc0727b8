/** Values that were changed in cells: shown at once, sent in the background, kept until they are saved or given up. */
import { InvalidInput } from '../../fields/types';
import { Watched } from '../../app/events';
import type { GridColumn, GridEditing } from './types';

export interface CellChange {
  /** The new value, or an InvalidInput with what was typed. */
  value: unknown;
  state: 'saving' | 'failed';
  /** Why it could not be saved. */
  reason?: string;
}

export interface RowChange<Row> {
  row: Row;
  cells: ReadonlyMap<string, CellChange>;
}

export type Changes<Row> = ReadonlyMap<string, RowChange<Row>>;
type Values = Record<string, unknown>;

interface Step<Row> {
  row: Row;
  before: Values;
  after: Values;
}

export interface CellEditsOptions<Row> {
  rowId: (row: Row) => string;
  column: (id: string) => GridColumn<Row> | undefined;
  editing: GridEditing<Row>;
  /** An error in words. */
  describe: (error: unknown) => string;
  /** A cell was not saved. */
  onFailed: (column: GridColumn<Row>, reason: string) => void;
  onSaved: (rowId: string) => void;
}

/** Requests under way at a time: a large paste must not take all connections. */
const AT_ONCE = 4;

export class CellEdits<Row> {
  readonly changes = new Watched<Changes<Row>>(new Map());
  private readonly undoable: Step<Row>[] = [];
  private readonly redoable: Step<Row>[] = [];
  /** Requests for one row go one after the other. */
  private readonly lastOfRow = new Map<string, Promise<string[]>>();
  private readonly waiting: (() => void)[] = [];
  private running = 0;

  constructor(private readonly options: () => CellEditsOptions<Row>) {}

  of(rowId: string, columnId: string): CellChange | undefined {
    return this.changes.get().get(rowId)?.cells.get(columnId);
  }

  get failed(): number {
    return [...this.changes.get().values()].reduce((sum, { cells }) => sum + failedIds(cells).length, 0);
  }

  /** The rows as they will be once everything is saved. */
  overlay(rows: Row[]): Row[] {
    const changes = this.changes.get();
    if (changes.size === 0) return rows;
    const { rowId, column } = this.options();
    return rows.map((row) => {
      const cells = changes.get(rowId(row))?.cells ?? [];
      return [...cells].reduce((shown, [id, { value }]) => {
        const edit = column(id)?.edit;
        return edit && !(value instanceof InvalidInput) ? edit.apply(shown, value) : shown;
      }, row);
    });
  }

  /** Takes new values of a row, by column; what cannot be a value is kept in its cell with the reason. */
  change(row: Row, values: Values): Promise<void> {
    return this.take(row, values, this.undoable, true);
  }

  /** Takes back the last saved change; false when there is none. */
  undo(): boolean {
    return this.step(this.undoable, this.redoable, (step) => step.before);
  }

  redo(): boolean {
    return this.step(this.redoable, this.undoable, (step) => step.after);
  }

  retry(rowId: string): Promise<void> {
    const change = this.changes.get().get(rowId);
    if (!change) return Promise.resolve();
    const values = Object.fromEntries(failedIds(change.cells).map((id) => [id, change.cells.get(id)?.value]));
    return this.change(change.row, values);
  }

  /** Resolves to whether everything is saved now. */
  async retryAll(): Promise<boolean> {
    await Promise.all([...this.changes.get().keys()].map((rowId) => this.retry(rowId)));
    await Promise.all(this.lastOfRow.values());
    return this.changes.get().size === 0;
  }

  discard(rowId: string, columnId: string): void {
    this.drop(rowId, [columnId]);
  }

  discardAll(): void {
    for (const [rowId, { cells }] of this.changes.get()) this.drop(rowId, failedIds(cells));
  }

  private step(from: Step<Row>[], to: Step<Row>[], values: (step: Step<Row>) => Values): boolean {
    const step = from.pop();
    if (!step) return false;
    void this.take(step.row, values(step), to, false, step);
    return true;
  }

  private async take(row: Row, values: Values, history: Step<Row>[], isNew: boolean, step?: Step<Row>): Promise<void> {
    const { column, rowId, onFailed } = this.options();
    const good: Record<string, CellChange> = {};
    for (const [id, value] of Object.entries(values)) {
      const own = column(id);
      if (!own?.edit) continue;
      const reason = own.edit.check(value);
      if (reason === null) good[id] = { value, state: 'saving' };
      else {
        this.set(row, { [id]: { value, state: 'failed', reason } });
        onFailed(own, reason);
      }
    }
    const ids = Object.keys(good);
    if (ids.length === 0) return;
    const before = Object.fromEntries(ids.map((id) => [id, column(id)?.edit?.value(row)]));
    this.set(row, good);
    const key = rowId(row);
    const sent = (this.lastOfRow.get(key) ?? Promise.resolve([])).then(() => this.send(row, good));
    this.lastOfRow.set(key, sent);
    const saved = await sent;
    if (this.lastOfRow.get(key) === sent) this.lastOfRow.delete(key);
    if (saved.length === 0) return;
    if (isNew) this.redoable.length = 0;
    const pick = (all: Values) => Object.fromEntries(saved.map((id) => [id, all[id]]));
    history.push(step ?? { row, before: pick(before), after: pick(values) });
  }

  /** Sends values of one row; gives the columns that were saved. */
  private async send(row: Row, cells: Record<string, CellChange>): Promise<string[]> {
    const { editing, onSaved, rowId } = this.options();
    // Given up or changed again while it waited: the later value is sent on its own.
    const ids = Object.keys(cells).filter((id) => this.of(rowId(row), id) === cells[id]);
    if (ids.length === 0) return [];
    await this.turn();
    try {
      await editing.save(row, Object.fromEntries(ids.map((id) => [id, cells[id]?.value])));
    } catch (error) {
      return this.refused(row, cells, ids, error);
    } finally {
      this.running -= 1;
      this.waiting.shift()?.();
    }
    onSaved(rowId(row));
    this.drop(rowId(row), ids.filter((id) => this.of(rowId(row), id) === cells[id]));
    return ids;
  }

  /** Cells the error is about keep its words; the others are sent again without them. */
  private refused(row: Row, cells: Record<string, CellChange>, ids: string[], error: unknown): string[] | Promise<string[]> {
    const { editing, describe, column, onFailed, rowId } = this.options();
    const about = editing.explain?.(error) ?? {};
    const blamed = ids.filter((id) => about[id] !== undefined);
    const isPartial = blamed.length > 0 && blamed.length < ids.length;
    for (const id of isPartial ? blamed : ids) {
      const cell = cells[id];
      const own = column(id);
      if (!cell || !own || this.of(rowId(row), id) !== cell) continue;
      const reason = about[id] ?? describe(error);
      this.set(row, { [id]: { value: cell.value, state: 'failed', reason } });
      onFailed(own, reason);
    }
    return isPartial ? this.send(row, pickCells(cells, ids.filter((id) => !blamed.includes(id)))) : [];
  }

  private async turn(): Promise<void> {
    if (this.running >= AT_ONCE) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.running += 1;
  }

  private set(row: Row, cells: Record<string, CellChange>): void {
    const key = this.options().rowId(row);
    const next = new Map(this.changes.get());
    next.set(key, { row, cells: new Map([...(next.get(key)?.cells ?? []), ...Object.entries(cells)]) });
    this.changes.set(next);
  }

  private drop(rowId: string, columnIds: string[]): void {
    const change = this.changes.get().get(rowId);
    if (!change || columnIds.length === 0) return;
    const cells = new Map([...change.cells].filter(([id]) => !columnIds.includes(id)));
    const next = new Map(this.changes.get());
    if (cells.size > 0) next.set(rowId, { ...change, cells });
    else next.delete(rowId);
    this.changes.set(next);
  }
}

const failedIds = (cells: ReadonlyMap<string, CellChange>) => [...cells].filter(([, cell]) => cell.state === 'failed').map(([id]) => id);
const pickCells = (cells: Record<string, CellChange>, ids: string[]) =>
  Object.fromEntries(Object.entries(cells).filter(([id]) => ids.includes(id)));
