import { beforeEach, describe, expect, it, vi } from 'vitest';
import { InvalidInput } from '../../fields/types';
import { CellEdits } from './cellEdits';
import { fromTsv, toTsv } from './clipboard';
import type { GridCellEdit, GridColumn } from './types';

interface Task {
  id: string;
  title: string;
  hours: number | null;
}

function editOf<Name extends 'title' | 'hours'>(name: Name, parse: (text: string) => unknown): GridCellEdit<Task> {
  return {
    look: 'line',
    value: (row) => row[name],
    apply: (row, value) => ({ ...row, [name]: value }),
    parse,
    check: (value) => (value instanceof InvalidInput ? 'not a value' : null),
    Input: () => null,
  };
}

const columns: GridColumn<Task>[] = [
  { id: 'title', title: 'Title', edit: editOf('title', (text) => text) },
  { id: 'hours', title: 'Hours', edit: editOf('hours', (text) => (Number.isNaN(Number(text)) ? new InvalidInput(text) : Number(text))) },
];
const lawn: Task = { id: '1', title: 'Lawn', hours: 2 };

type Save = (row: Task, values: Record<string, unknown>) => Promise<void>;
let save: ReturnType<typeof vi.fn<Save>>;
let onFailed: ReturnType<typeof vi.fn<(column: GridColumn<Task>, reason: string) => void>>;
let edits: CellEdits<Task>;

beforeEach(() => {
  save = vi.fn<Save>(async () => undefined);
  onFailed = vi.fn<(column: GridColumn<Task>, reason: string) => void>();
  edits = new CellEdits<Task>(() => ({
    rowId: (row) => row.id,
    column: (id) => columns.find((column) => column.id === id),
    editing: { save, explain: (error) => (error as { about?: Record<string, string> }).about ?? {} },
    describe: (error) => (error as Error).message,
    onFailed,
    onSaved: () => undefined,
  }));
});

/** A save that is refused, or done, when the test says so. */
function pending() {
  let settle: { resolve: () => void; reject: (error: unknown) => void } = { resolve: () => undefined, reject: () => undefined };
  save.mockImplementationOnce(() => new Promise<void>((resolve, reject) => (settle = { resolve, reject })));
  return { resolve: () => settle.resolve(), reject: (error: unknown) => settle.reject(error) };
}

describe('values changed in cells', () => {
  it('shows a value before it is saved, and lets go of it afterwards', async () => {
    const answer = pending();
    const done = edits.change(lawn, { hours: 3 });
    expect(edits.overlay([lawn])).toEqual([{ ...lawn, hours: 3 }]);
    expect(edits.of('1', 'hours')?.state).toBe('saving');
    await vi.waitFor(() => expect(save).toHaveBeenCalledWith(lawn, { hours: 3 }));
    answer.resolve();
    await done;
    expect(edits.changes.get().size).toBe(0);
    expect(edits.overlay([lawn])).toEqual([lawn]);
  });

  it('keeps a refused value with the reason until it is saved or given up', async () => {
    save.mockRejectedValueOnce(new Error('Hours are closed'));
    await edits.change(lawn, { hours: 3 });
    expect(edits.of('1', 'hours')).toEqual({ value: 3, state: 'failed', reason: 'Hours are closed' });
    expect(onFailed).toHaveBeenCalledWith(columns[1], 'Hours are closed');
    expect(edits.failed).toBe(1);
    await edits.retry('1');
    expect(save).toHaveBeenLastCalledWith(lawn, { hours: 3 });
    expect(edits.failed).toBe(0);
    save.mockRejectedValueOnce(new Error('no'));
    await edits.change(lawn, { hours: 4 });
    edits.discard('1', 'hours');
    expect(edits.overlay([lawn])).toEqual([lawn]);
  });

  it('never sends what cannot be a value, and sends the rest of the row', async () => {
    await edits.change(lawn, { title: 'Meadow', hours: new InvalidInput('many') });
    expect(save.mock.calls).toEqual([[lawn, { title: 'Meadow' }]]);
    expect(edits.of('1', 'hours')).toMatchObject({ state: 'failed', reason: 'not a value' });
    expect(await edits.retryAll()).toBe(false);
    edits.discardAll();
    expect(await edits.retryAll()).toBe(true);
  });

  it('saves the other cells of a row when the server blames one', async () => {
    save.mockRejectedValueOnce(Object.assign(new Error('refused'), { about: { title: 'Title already exists' } }));
    await edits.change(lawn, { title: 'Taken', hours: 5 });
    expect(save).toHaveBeenLastCalledWith(lawn, { hours: 5 });
    expect(edits.of('1', 'title')?.reason).toBe('Title already exists');
    expect(edits.of('1', 'hours')).toBeUndefined();
  });

  it('sends changes of one row one after the other, and an old answer does not end a newer change', async () => {
    const first = pending();
    const second = pending();
    void edits.change(lawn, { hours: 3 });
    await vi.waitFor(() => expect(save).toHaveBeenCalledTimes(1));
    const done = edits.change(lawn, { hours: 4 });
    first.resolve();
    await vi.waitFor(() => expect(save).toHaveBeenCalledTimes(2));
    expect(edits.of('1', 'hours')).toMatchObject({ value: 4, state: 'saving' });
    second.resolve();
    await done;
    expect(edits.changes.get().size).toBe(0);
  });

  it('has few requests under way at a time', async () => {
    const answers = Array.from({ length: 6 }, pending);
    const all = answers.map((_, at) => edits.change({ ...lawn, id: String(at) }, { hours: at }));
    await vi.waitFor(() => expect(save).toHaveBeenCalledTimes(4));
    answers[0]?.resolve();
    await vi.waitFor(() => expect(save).toHaveBeenCalledTimes(5));
    for (const answer of answers) answer.resolve();
    await vi.waitFor(() => expect(save).toHaveBeenCalledTimes(6));
    answers[5]?.resolve();
    await Promise.all(all);
  });

  it('takes back and makes again', async () => {
    await edits.change(lawn, { hours: 3 });
    expect(edits.undo()).toBe(true);
    await vi.waitFor(() => expect(save).toHaveBeenLastCalledWith(lawn, { hours: 2 }));
    await vi.waitFor(() => expect(edits.changes.get().size).toBe(0));
    expect(edits.undo()).toBe(false);
    expect(edits.redo()).toBe(true);
    await vi.waitFor(() => expect(save).toHaveBeenLastCalledWith(lawn, { hours: 3 }));
  });
});

describe('cells of spreadsheets', () => {
  it('reads what it writes', () => {
    const rows: Task[] = [
      { id: '1', title: 'a "quoted"\nline\twith tab', hours: 1 },
      { id: '2', title: '', hours: null },
    ];
    expect(fromTsv(toTsv(columns, rows))).toEqual([['a "quoted"\nline\twith tab', '1'], ['', '']]);
  });

  it('takes line ends of any kind, and a quote inside a text as it is', () => {
    expect(fromTsv('a\tb\r\nc\td\r\n')).toEqual([['a', 'b'], ['c', 'd']]);
    expect(fromTsv('5" pipe\n"open')).toEqual([['5" pipe'], ['"open']]);
    expect(fromTsv('one')).toEqual([['one']]);
  });
});
