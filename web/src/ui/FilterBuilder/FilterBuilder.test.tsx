import { MantineProvider } from '@mantine/core';
import { cleanup, render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import i18next from 'i18next';
import { useState } from 'react';
import { I18nextProvider } from 'react-i18next';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTranslations } from '../../app/i18n';
import { valueFor } from './ConditionRow';
import { FilterButton, FilterPills, type Filter, type FilterField } from '.';

const fields: FilterField[] = [
  { path: 'name', title: 'Name', field: { name: 'name', type: 'string', interface: 'input' } },
  { path: 'total', title: 'Total', field: { name: 'total', type: 'double', interface: 'number' } },
  { path: 'paid', title: 'Paid', field: { name: 'paid', type: 'boolean', interface: 'checkbox' } },
  { path: 'due', title: 'Due', field: { name: 'due', type: 'dateOnly', interface: 'date' } },
];
let current: Filter | null = null;

beforeAll(async () => {
  await startTranslations();
  await i18next.loadNamespaces(['filter', 'fields']);
});
afterEach(cleanup);

function Harness({ start }: { start: Filter | null }) {
  const [filter, setFilter] = useState(start);
  const [at, setAt] = useState<string | null>(null);
  current = filter;
  return (
    <I18nextProvider i18n={i18next}>
      <MantineProvider env="test">
        <FilterButton fields={fields} filter={filter} onChange={setFilter} openAt={at} onOpened={() => setAt(null)} total={7} />
        <FilterPills fields={fields} filter={filter} onChange={setFilter} onEdit={setAt} />
      </MantineProvider>
    </I18nextProvider>
  );
}

describe('FilterBuilder', () => {
  it('builds a filter row by row and applies it when a row is complete', async () => {
    render(<Harness start={null} />);
    const user = userEvent.setup();
    await user.click(screen.getByRole('button', { name: 'Filter' }));
    await user.type(await screen.findByLabelText('Value for Name'), 'ac');
    await waitFor(() => expect(current).toEqual({ $and: [{ name: { $includes: 'ac' } }] }));
    await user.click(screen.getByRole('button', { name: 'Add condition' }));
    await user.selectOptions(screen.getAllByLabelText('Field')[1]!, 'total');
    await user.selectOptions(screen.getAllByLabelText('Operator')[1]!, 'between');
    await user.type(screen.getByLabelText('Value for Total: From'), '1');
    await user.type(screen.getByLabelText('Value for Total: To'), '9');
    await user.click(screen.getByRole('radio', { name: 'any' }));
    await waitFor(() => expect(current).toEqual({ $or: [{ name: { $includes: 'ac' } }, { total: { $gte: 1, $lte: 9 } }] }));
    expect(screen.getByRole('button', { name: 'Filter (2)' })).toBeTruthy();
    expect(screen.getByRole('button', { name: 'Total between 1 – 9' })).toBeTruthy();
  });

  it('describes conditions in pills, removes them and edits them', async () => {
    const start = { $and: [{ paid: { $isTruly: true } }, { due: { $dateOn: { type: 'past', number: 7, unit: 'day' } } }, { $not: { a: 1 } }] };
    render(<Harness start={start} />);
    const user = userEvent.setup();
    expect(screen.getByRole('button', { name: 'Paid is checked' })).toBeTruthy();
    expect(screen.getByRole('button', { name: 'Custom condition' })).toBeTruthy();
    await user.click(screen.getByRole('button', { name: 'Remove: Paid is checked' }));
    expect(current).toEqual({ $and: [start.$and[1], start.$and[2]] });
    await user.click(screen.getByRole('button', { name: 'Due on last 7 days' }));
    expect(await screen.findByLabelText('Value for Due: How many')).toBeTruthy();
    await user.click(screen.getByRole('button', { name: 'Clear all' }));
    expect(current).toBeNull();
  });

  it('keeps the value when the next operator can use it', () => {
    const one = { kind: 'condition', path: 'a', operator: '$eq', value: 5 } as const;
    expect(valueFor('$ne', one)).toBe(5);
    expect(valueFor('$in', one)).toEqual([5]);
    expect(valueFor('between', one)).toEqual([null, null]);
    expect(valueFor('$empty', one)).toBe(true);
    expect(valueFor('$eq', { ...one, operator: '$in', value: [1, 2] })).toBe(1);
  });
});
