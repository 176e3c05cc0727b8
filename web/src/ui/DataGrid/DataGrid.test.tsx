import { MantineProvider } from '@mantine/core';
import { act, cleanup, render, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import i18next from 'i18next';
import { Suspense, useState } from 'react';
import { I18nextProvider } from 'react-i18next';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { api } from '../../app/api';
import { connection } from '../../app/connection';
import { ApiError } from '../../app/errors';
import { getPreference } from '../../app/preferences';
import { queryClient } from '../../app/queries';
import { startTranslations } from '../../app/i18n';
import { DataGrid, type DataGridProps } from './DataGrid';
import { localPage } from './localPage';
import type { GridCellEdit, GridColumn, GridState } from './types';

interface City {
  id: string;
  name: string;
  people: number | null;
}

const columns: GridColumn<City>[] = [
  { id: 'name', title: 'Name' },
  { id: 'people', title: 'People', align: 'end' },
];
const cities: City[] = [
  { id: '1', name: 'Lima', people: 10 },
  { id: '2', name: 'Oslo', people: 1 },
  { id: '3', name: 'Bern', people: null },
];
const start: GridState = { q: '', filter: null, sort: [], page: 1, size: 20 };
const still = { error: null, isFetching: false, isPlaceholderData: false, refetch: () => undefined };

beforeAll(async () => {
  // Preferences are kept in memory here.
  vi.spyOn(api, 'call').mockResolvedValue([]);
  await startTranslations();
  await i18next.loadNamespaces(['grid', 'filter', 'fields', 'ui']);
});
afterEach(() => {
  cleanup();
  queryClient.clear();
});

function Harness(props: Partial<DataGridProps<City>> & { rows?: City[] | undefined }) {
  const [state, setState] = useState<GridState>(props.state ?? start);
  const { rows = cities, ...rest } = props;
  return (
    <DataGrid
      gridKey="cities"
      label="Cities"
      columns={columns}
      rowId={(row) => row.id}
      query={{ ...still, data: localPage(rows, state, columns) }}
      {...rest}
      state={state}
      onState={(patch) => {
        setState((old) => ({ ...old, page: 1, ...patch }));
        props.onState?.(patch);
      }}
    />
  );
}

function show(props: Parameters<typeof Harness>[0] = {}) {
  render(
    <I18nextProvider i18n={i18next}>
      <MantineProvider env="test">
        <Suspense>
          <Harness {...props} />
        </Suspense>
      </MantineProvider>
    </I18nextProvider>,
  );
  return userEvent.setup();
}

const names = () =>
  screen
    .getAllByRole('row')
    .slice(1)
    .map((row) => within(row).getAllByRole('gridcell').map((cell) => cell.textContent).join('|'));
const focused = () => [document.activeElement?.getAttribute('data-row'), document.activeElement?.getAttribute('data-column')];

describe('DataGrid', () => {
  it('sorts by one column, then by a second one with Shift, and empty values stay last', async () => {
    const onState = vi.fn();
    const user = show({ onState });
    const people = screen.getByRole('columnheader', { name: /People/ });
    await user.click(people);
    expect(names()).toEqual(['Oslo|1', 'Lima|10', 'Bern|']);
    expect(people.getAttribute('aria-sort')).toBe('ascending');
    await user.click(people);
    expect(names()).toEqual(['Lima|10', 'Oslo|1', 'Bern|']);
    await user.keyboard('{Shift>}');
    await user.click(screen.getByRole('columnheader', { name: /Name/ }));
    await user.keyboard('{/Shift}');
    expect(onState).toHaveBeenLastCalledWith({ sort: [{ id: 'people', desc: true }, { id: 'name', desc: false }] });
  });

  it('is one tab stop and moves with the arrows, Home, End and Ctrl', async () => {
    const user = show();
    expect(document.querySelectorAll('[role="grid"] [tabindex="0"]')).toHaveLength(1);
    screen.getByRole('columnheader', { name: /Name/ }).focus();
    await user.keyboard('{ArrowDown}{ArrowRight}');
    expect(focused()).toEqual(['0', '1']);
    await user.keyboard('{Control>}{End}{/Control}');
    expect(focused()).toEqual(['2', '1']);
    await user.keyboard('{ArrowDown}{ArrowRight}{Home}');
    expect(focused()).toEqual(['2', '0']);
    await user.keyboard('{Control>}{Home}{/Control}{ArrowUp}');
    expect(focused()).toEqual(['-1', '0']);
    expect(document.querySelectorAll('[role="grid"] [tabindex="0"]')).toHaveLength(1);
  });

  it('opens, edits and deletes the row under the focus', async () => {
    const onOpen = vi.fn();
    const onEdit = vi.fn();
    const onDelete = vi.fn();
    const user = show({ onOpen, onEdit, onDelete });
    screen.getByRole('gridcell', { name: 'Oslo' }).focus();
    await user.keyboard('{Enter}e{Backspace}');
    expect(onOpen).toHaveBeenCalledWith(cities[1]);
    expect(onEdit).toHaveBeenCalledWith(cities[1]);
    expect(onDelete).toHaveBeenCalledWith(cities[1]);
  });

  it('selects with Space, a range with Shift, and all that match', async () => {
    const onAction = vi.fn();
    const query = { ...still, data: { rows: cities, total: 40 } };
    const user = show({ bulkActions: [{ id: 'go', label: 'Go', onAction }], query });
    screen.getByRole('gridcell', { name: 'Lima' }).focus();
    await user.keyboard(' ');
    expect(screen.getAllByRole('row', { selected: true })).toHaveLength(1);
    await user.keyboard('{Shift>}');
    await user.click(screen.getByRole('checkbox', { name: 'Select Bern' }));
    await user.keyboard('{/Shift}');
    expect(screen.getAllByRole('row', { selected: true })).toHaveLength(3);
    await user.click(screen.getByRole('button', { name: 'Select all 40 matching' }));
    await user.click(screen.getByRole('button', { name: 'Go' }));
    expect(onAction.mock.calls[0]?.[0]).toMatchObject({ allMatching: true, count: 40, ids: ['1', '2', '3'] });
    expect(screen.queryAllByRole('row', { selected: true })).toHaveLength(0);
  });

  it('offers all that match in a tree by their own number, not by that of its roots', async () => {
    const onAction = vi.fn();
    const tree = { levelOf: (row: City) => (row.id === '1' ? 0 : 1), unfolded: true };
    const query = { ...still, data: { rows: cities, total: 1 } };
    const user = show({ bulkActions: [{ id: 'go', label: 'Go', onAction }], query, tree, matching: 12 });
    await user.click(screen.getByRole('checkbox', { name: 'Select all rows on this page' }));
    await user.click(screen.getByRole('button', { name: 'Select all 12 matching' }));
    await user.click(screen.getByRole('button', { name: 'Go' }));
    expect(onAction.mock.calls[0]?.[0]).toMatchObject({ allMatching: true, count: 12 });
  });

  it('changes nothing without a connection', async () => {
    const [onEdit, onDelete, onCreate, onAction] = [vi.fn(), vi.fn(), vi.fn(), vi.fn()];
    const user = show({ onEdit, onDelete, onCreate, bulkActions: [{ id: 'go', label: 'Go', onAction }] });
    act(() => connection.online.set(false));
    screen.getByRole('gridcell', { name: 'Oslo' }).focus();
    await user.keyboard('e{Backspace}c ');
    await user.click(screen.getByRole('button', { name: 'Go' }));
    expect([onEdit, onDelete, onCreate, onAction].flatMap((each) => each.mock.calls)).toEqual([]);
    act(() => connection.online.set(true));
    await user.click(screen.getByRole('button', { name: 'Go' }));
    expect(onAction).toHaveBeenCalledTimes(1);
  });

  it('hides a column from its menu and remembers that', async () => {
    const user = show();
    screen.getByRole('columnheader', { name: /People/ }).focus();
    await user.keyboard('{Enter}');
    await user.click(await screen.findByRole('menuitem', { name: 'Hide column' }));
    expect(screen.queryByRole('columnheader', { name: /People/ })).toBeNull();
    cleanup();
    expect(getPreference('list.cities')).toMatchObject({ visible: { people: false } });
    show();
    expect(screen.queryByRole('columnheader', { name: /People/ })).toBeNull();
  });

  it('tells an empty list from a filtered one, and an error from both', async () => {
    const user = show({ rows: [], empty: { text: 'No cities yet' } });
    expect(screen.getByText('No cities yet')).toBeTruthy();
    await user.type(screen.getByRole('searchbox'), 'x');
    await user.click(await screen.findByRole('button', { name: 'Clear search and filter' }));
    await waitFor(() => expect(screen.getByText('No cities yet')).toBeTruthy());
    cleanup();
    const refetch = vi.fn();
    const again = show({ query: { ...still, data: undefined, error: new Error('The table is gone'), refetch } });
    expect(screen.getByRole('alert').textContent).toContain('The table is gone');
    await again.click(screen.getByRole('button', { name: 'Try again' }));
    expect(refetch).toHaveBeenCalled();
    cleanup();
    show({ query: { ...still, data: undefined, error: new ApiError(403, [{ message: 'No permissions' }]) } });
    expect(screen.getByText('You need the right “View” on Cities. Ask an administrator.')).toBeTruthy();
  });

  it('edits in the cell: typing, Tab to the next one, Escape, and only where a column can be edited', async () => {
    const save = vi.fn(async () => undefined);
    const edit = (name: 'name' | 'people'): GridCellEdit<City> => ({
      look: 'line',
      value: (row) => row[name],
      apply: (row, value) => ({ ...row, [name]: value }),
      parse: (text) => (name === 'name' ? text : Number(text)),
      check: (value) => (Number.isNaN(value) ? 'Enter a number' : null),
      Input: () => null,
    });
    const editable: GridColumn<City>[] = [
      { id: 'id', title: 'Id' },
      { id: 'name', title: 'Name', edit: edit('name') },
      { id: 'people', title: 'People', edit: edit('people') },
    ];
    const user = show({ columns: editable, editing: { save } });
    screen.getByRole('gridcell', { name: 'Lima' }).focus();
    await user.keyboard('Quito');
    expect(screen.getByRole('textbox', { name: 'Name' })).toHaveProperty('value', 'Quito');
    await user.keyboard('{Tab}');
    await waitFor(() => expect(save).toHaveBeenCalledWith(cities[0], { name: 'Quito' }));
    const people = screen.getByRole('textbox', { name: 'People' });
    await user.clear(people);
    await user.keyboard('many{Enter}');
    expect(await screen.findByText('Enter a number')).toBeTruthy();
    await user.keyboard('{Escape}');
    expect(screen.queryByRole('textbox', { name: 'People' })).toBeNull();
    expect(focused()).toEqual(['0', '2']);
    expect(save).toHaveBeenCalledTimes(1);
    await user.keyboard('{ArrowLeft}{ArrowLeft}x{F2}');
    expect(screen.queryByRole('textbox', { name: 'Id' })).toBeNull();
    expect(screen.getAllByRole('gridcell', { name: '1' })[0]?.getAttribute('aria-readonly')).toBe('true');
  });

  it('keeps a failure of its own to itself', async () => {
    let broken = true;
    const cell = (row: City) => {
      if (broken) throw new Error('This cell cannot be drawn');
      return row.name;
    };
    const quiet = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const user = show({ columns: [{ id: 'name', title: 'Name', cell }] });
    expect(screen.getByRole('alert').textContent).toContain('This cell cannot be drawn');
    broken = false;
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    expect(screen.getByRole('gridcell', { name: 'Lima' })).toBeTruthy();
    quiet.mockRestore();
  });

  it('renders only what is near when there are many rows', () => {
    const rows = Array.from({ length: 200 }, (_, at) => ({ id: String(at), name: `City ${at}`, people: at }));
    show({ rows, state: { ...start, size: 200 } });
    expect(screen.getAllByRole('row').length).toBeLessThan(60);
    expect(screen.getByRole('grid').getAttribute('aria-rowcount')).toBe('201');
  });
});
