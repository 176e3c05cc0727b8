import { describe, expect, it } from 'vitest';
import { interfaceById } from '../../fields';
import { checkDraft, createBody, draftOf, retitled, updateBody, withKind } from './fieldDraft';

describe('field drafts', () => {
  it('names the field after its title until the name is changed by hand', () => {
    let draft = draftOf(interfaceById('text'));
    draft = retitled(draft, 'Unit price', ['unit_price']);
    expect(draft.field.name).toBe('unit_price_2');
    draft = retitled({ ...draft, namedByHand: true }, 'Price', []);
    expect(draft.field).toMatchObject({ name: 'unit_price_2', uiSchema: { title: 'Price' } });
  });

  it('makes the body of the request from the kind', () => {
    const draft = withKind(retitled(draftOf(interfaceById('text')), ' Total ', []), 'decimal');
    expect(createBody(draft)).toEqual({
      name: 'total', interface: 'number', type: 'decimal', precision: 10, scale: 2, uiSchema: { title: 'Total' },
    });
  });

  it('drops options of another kind', () => {
    const select = withKind(draftOf(interfaceById('decimal'), 'State'), 'select');
    expect(select.field).not.toHaveProperty('precision');
    expect(checkDraft(select, [])).toBe('field.choicesMissing');
    const choice = (value: string) => ({ value, label: value });
    const withChoices = (values: string[]) => ({ ...select, field: { ...select.field, uiSchema: { title: 'State', enum: values.map(choice) } } });
    expect(checkDraft(withChoices(['a', 'a']), [])).toBe('field.choicesWrong');
    expect(checkDraft(withChoices(['a', 'b']), [])).toBeNull();
  });

  it('sends what changed, and null for what was taken away', () => {
    const old = { name: 'a', type: 'string', unique: true, uiSchema: { title: 'A' }, key: 'k' };
    expect(updateBody({ ...old, unique: undefined, uiSchema: { title: 'B' } }, old)).toEqual({ unique: null, uiSchema: { title: 'B' } });
  });
});
