import { MantineProvider } from '@mantine/core';
import { cleanup, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import i18next from 'i18next';
import { useState } from 'react';
import { I18nextProvider } from 'react-i18next';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTranslations } from '../app/i18n';
import english from './locales/en-US.json';
import operators from '../ui/FilterBuilder/locales/en-US.json';
import { INTERFACES, InvalidInput, interfaceById, interfaceOf, isEditable, isRequired, plainTitle, type FieldMeta } from '.';
import { parseBoolean } from './interfaces/checkbox';
import { formatDecimal, parseDecimal } from './interfaces/decimal';
import { parseJson } from './interfaces/json';
import { parseNumber } from './interfaces/number';
import { choicesFromText } from './parts/ChoicesEditor';
import { numberOf } from './parts/filterValues';
import { formatDay, parseDay, parseInstant, toInstant, toLocal } from './parts/moments';
import { formatWhole, parseWhole } from './parts/wholeNumber';

beforeAll(async () => {
  // The test DOM has no font loading, which growing text areas wait for.
  Object.defineProperty(document, 'fonts', { value: new EventTarget(), configurable: true });
  await startTranslations();
  await i18next.loadNamespaces('fields');
});
afterEach(cleanup);

const field = (type: string, more: Partial<FieldMeta> = {}): FieldMeta => ({ name: 'x', type, ...more });

describe('field registry', () => {
  it('finds the kind by interface and type, by interface, by type, and never fails', () => {
    expect(interfaceOf(field('bigInt', { interface: 'integer' })).id).toBe('bigInt');
    expect(interfaceOf(field('integer', { interface: 'integer' })).id).toBe('integer');
    expect(interfaceOf(field('decimal', { interface: 'number' })).id).toBe('decimal');
    expect(interfaceOf(field('float', { interface: 'number' })).id).toBe('number');
    expect(interfaceOf(field('dateOnly')).id).toBe('date');
    expect(interfaceOf(field('string', { interface: 'email' })).id).toBe('text');
    expect(interfaceOf(field('geometry', { interface: 'circle' })).id).toBe('unknown');
  });

  it('has words for every kind and operator', () => {
    for (const kind of INTERFACES) {
      expect(english.interface, kind.id).toHaveProperty(kind.id);
      for (const operator of kind.operators) expect(operators.operator).toHaveProperty(operator.replace('$', ''));
    }
  });

  it('shows nothing, and foreign values, without failing', () => {
    for (const kind of INTERFACES) {
      for (const value of [null, undefined, '', 'text', 12, true, { a: 1 }, [1]]) {
        expect(typeof kind.text(value, field(kind.wire.type), 'en-US')).toBe('string');
        render(
          <I18nextProvider i18n={i18next}>
            <MantineProvider env="test">
              <kind.Cell field={field(kind.wire.type)} value={value} />
              <kind.View field={field(kind.wire.type)} value={value} />
            </MantineProvider>
          </I18nextProvider>,
        );
        cleanup();
      }
    }
  });

  it('edits every kind that can be edited, with a label', () => {
    const related = { collection: 'customers', collectionTitle: 'Customers', key: 'id' };
    for (const kind of INTERFACES) {
      if (!kind.Edit) continue;
      render(
        <I18nextProvider i18n={i18next}>
          <MantineProvider env="test">
            <kind.Edit field={field(kind.wire.type, kind.relation ? { related } : {})} value={null} onChange={() => undefined} label={`Label of ${kind.id}`} />
          </MantineProvider>
        </I18nextProvider>,
      );
      expect(screen.getAllByLabelText(`Label of ${kind.id}`).length, kind.id).toBeGreaterThan(0);
      cleanup();
    }
  });

  it('shows linked records by their title, else by their key', () => {
    const related = { collection: 'customers', collectionTitle: 'Customers', key: 'id', title: field('string', { name: 'name' }) };
    const buyer = field('belongsTo', { interface: 'm2o', related });
    const tags = field('belongsToMany', { interface: 'm2m', related });
    expect(interfaceOf(field('belongsTo')).id).toBe('m2o');
    expect(interfaceOf(buyer).text({ id: 3, name: 'Ann' }, buyer, 'en-US')).toBe('Ann');
    expect(interfaceOf(buyer).text({ id: 3, name: null }, buyer, 'en-US')).toBe('#3');
    expect(interfaceOf(buyer).text(3, buyer, 'en-US')).toBe('#3');
    expect(interfaceOf(tags).text([{ id: 1, name: 'a' }, 2], tags, 'en-US')).toBe('a, #2');
    expect(interfaceOf(buyer).inCell?.parse('Ann', buyer)).toBeInstanceOf(InvalidInput);
    const { Cell: TagsCell } = interfaceOf(tags);
    const { container } = render(
      <MantineProvider env="test">
        <TagsCell field={tags} value={[1, 2, 3, 4].map((id) => ({ id, name: `t${id}` }))} />
      </MantineProvider>,
    );
    expect(container.textContent?.endsWith('t1t2+2')).toBe(true);
  });

  it('knows what people may write and must fill in', () => {
    expect(isEditable(field('bigInt', { interface: 'id', autoIncrement: true }))).toBe(false);
    expect(isEditable(field('string', { hidden: true }))).toBe(false);
    expect(isRequired(field('string', { allowNull: false }))).toBe(true);
    expect(isRequired(field('bigInt', { allowNull: false, primaryKey: true, autoIncrement: true }))).toBe(false);
    expect(plainTitle('{{t("Created at")}}')).toBe('Created at');
  });
});

describe('values', () => {
  it('keeps every digit of big and exact numbers', () => {
    expect(parseWhole('9007199254740993', -(2n ** 63n), 2n ** 63n - 1n)).toBe('9007199254740993');
    expect(parseWhole('12', 0n, 99n)).toBe(12);
    expect(parseWhole('100', 0n, 99n)).toBeInstanceOf(InvalidInput);
    expect(parseWhole('12x', 0n, 99n)).toBeInstanceOf(InvalidInput);
    expect(parseWhole(' ', 0n, 99n)).toBeNull();
    expect(formatWhole('9007199254740993', null, 'en-US')).toBe('9,007,199,254,740,993');
    expect(formatDecimal('12345678901234567890.10', field('decimal'), 'en-US')).toBe('12,345,678,901,234,567,890.10');
    expect(numberOf('9007199254740993')).toBe('9007199254740993');
    expect(numberOf('abc')).toBeNull();
  });

  it('checks decimals against the column', () => {
    const money = field('decimal', { precision: 5, scale: 2 });
    expect(parseDecimal('12,5', money)).toBe('12.5');
    expect(parseDecimal('-0012.50', money)).toBe('-12.50');
    expect(parseDecimal('.5', money)).toBe('0.5');
    expect(parseDecimal('1234', money)).toBeInstanceOf(InvalidInput);
    expect(parseDecimal('1.234', money)).toBeInstanceOf(InvalidInput);
    expect(parseDecimal('1e3', money)).toBeInstanceOf(InvalidInput);
    expect(parseNumber('1.5')).toBe(1.5);
    expect(parseNumber('-')).toBeInstanceOf(InvalidInput);
  });

  it('turns wall clock into instants and days into themselves', () => {
    const instant = toInstant('2026-11-22 14:30:00');
    expect(toLocal(instant)).toBe('2026-11-22 14:30:00');
    expect(toInstant('nonsense')).toBeNull();
    expect(formatDay('2026-11-22', null, 'en-US')).toBe('Nov 22, 2026');
  });

  it('reads what people and spreadsheets write', () => {
    expect(parseNumber('1,284.5')).toBe(1284.5);
    expect(parseNumber('1,284')).toBe(1284);
    expect(parseNumber('12,5')).toBe(12.5);
    expect(parseDay('2026/11/2')).toBe('2026-11-02');
    expect(parseDay('2026-11-02 10:00')).toBe('2026-11-02');
    expect(parseDay('2026-02-30')).toBeInstanceOf(InvalidInput);
    expect(parseDay('tomorrow')).toBeInstanceOf(InvalidInput);
    expect(toLocal(parseInstant('2026-11-22T14:30'))).toBe('2026-11-22 14:30:00');
    expect(parseInstant('2026-11-22T14:30:00Z')).toBe('2026-11-22T14:30:00.000Z');
    expect(parseInstant('2026-11-22 25:00')).toBeInstanceOf(InvalidInput);
    expect(parseBoolean('Yes')).toBe(true);
    expect(parseBoolean('0')).toBe(false);
    expect(parseBoolean('perhaps')).toBeInstanceOf(InvalidInput);
  });

  it('reads the text it gives to other programs', () => {
    const choices = { uiSchema: { enum: [{ value: 'a', label: 'Open' }] } };
    const samples: Record<string, unknown> = {
      text: 'a', longText: 'a\nb', integer: -12, bigInt: '9007199254740993', number: 1.284, decimal: '12.50', checkbox: false,
      select: 'a', datetime: '2026-11-22T14:30:05.000Z', date: '2026-11-22', json: { a: [1] },
      uuid: '123e4567-e89b-12d3-a456-426614174000',
    };
    // A record is chosen, not typed.
    const edited = INTERFACES.filter((kind) => kind.inCell && !kind.relation);
    expect(edited.map((kind) => kind.id).sort()).toEqual(Object.keys(samples).sort());
    for (const kind of edited) {
      const own = field(kind.wire.type, { ...kind.wire, ...choices } as Partial<FieldMeta>);
      expect(kind.inCell?.parse(kind.plain(samples[kind.id], own), own), kind.id).toEqual(samples[kind.id]);
      expect(kind.inCell?.parse(kind.plain(null, own), own), kind.id).toBeNull();
      const wrong = kind.inCell?.parse('\u0000 no value', own);
      if (wrong instanceof InvalidInput) expect(english.invalid).toHaveProperty(kind.check?.(wrong, own)?.replace('invalid.', '') ?? '');
    }
  });

  it('keeps unfinished JSON as text', () => {
    expect(parseJson('{"a":1}')).toEqual({ a: 1 });
    expect(parseJson('{"a":')).toBeInstanceOf(InvalidInput);
    expect(parseJson(' ')).toBeNull();
  });

  it('takes pasted lines as choices', () => {
    expect(choicesFromText('a\tOpen\n\n b \n', 0)).toMatchObject([{ value: 'a', label: 'Open' }, { value: 'b', label: 'b' }]);
  });

  it('shows what was typed while it is wrong', async () => {
    const { Edit } = interfaceById('integer');
    function Form() {
      const [value, setValue] = useState<unknown>(null);
      return Edit && <Edit field={field('integer')} value={value} onChange={setValue} label="Number" />;
    }
    render(<I18nextProvider i18n={i18next}><MantineProvider env="test"><Form /></MantineProvider></I18nextProvider>);
    const input = screen.getByLabelText('Number');
    await userEvent.type(input, '-1x');
    expect((input as HTMLInputElement).value).toBe('-1x');
  });
});
