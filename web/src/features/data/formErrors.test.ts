import { describe, expect, it } from 'vitest';
import { ApiError } from '../../app/errors';
import { mapErrors } from './formErrors';

const fields = [
  { name: 'code', type: 'string', uiSchema: { title: 'Code' } },
  { name: 'codeName', type: 'string', uiSchema: { title: 'Code name' } },
  { name: 'total', type: 'double' },
];
const error = (...messages: (string | { message: string; field: string })[]) =>
  new ApiError(400, messages.map((item) => (typeof item === 'string' ? { message: item } : item)));

describe('errors of a form', () => {
  it('finds the field by key or by the title in the message', () => {
    expect(mapErrors(error({ message: 'must be unique', field: 'code' }), fields).fields).toEqual({ code: 'must be unique' });
    expect(mapErrors(error('Code already exists'), fields).fields).toEqual({ code: 'Code already exists' });
    expect(mapErrors(error('Code name cannot be null'), fields).fields).toEqual({ codeName: 'Code name cannot be null' });
    expect(mapErrors(error("Orders: total: 'x' is not a number"), fields).fields).toHaveProperty('total');
    expect(mapErrors(error('"Code" is too long'), fields).fields).toHaveProperty('code');
  });

  it('keeps what belongs to no field, and joins several messages', () => {
    const mapped = mapErrors(error('Codes are wrong', 'Code is short', 'Code is odd'), fields);
    expect(mapped.rest).toEqual([{ message: 'Codes are wrong' }]);
    expect(mapped.fields).toEqual({ code: 'Code is short Code is odd' });
  });
});
