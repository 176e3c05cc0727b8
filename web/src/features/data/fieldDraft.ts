/** A field while it is being described, and the request that makes it. */
import { choicesOf, interfaceById, titleOf, type FieldInterface, type FieldMeta } from '../../fields';
import { checkName, freeName } from './names';

export interface FieldDraft {
  field: FieldMeta;
  /** The name follows the title until somebody changes it. */
  namedByHand: boolean;
}

export function draftOf(kind: FieldInterface, title = '', taken: readonly string[] = []): FieldDraft {
  const { uiSchema, ...wire } = kind.wire as FieldInterface['wire'] & { uiSchema?: FieldMeta['uiSchema'] };
  return {
    field: { ...wire, name: title ? freeName(title, taken, 'f') : '', uiSchema: { ...uiSchema, title } },
    namedByHand: false,
  };
}

export function retitled(draft: FieldDraft, title: string, taken: readonly string[]): FieldDraft {
  const field = { ...draft.field, uiSchema: { ...draft.field.uiSchema, title } };
  return { ...draft, field: draft.namedByHand ? field : { ...field, name: title.trim() ? freeName(title, taken, 'f') : '' } };
}

/** The same field as another kind; options of the old kind are dropped. */
export function withKind(draft: FieldDraft, id: string): FieldDraft {
  const fresh = draftOf(interfaceById(id)).field;
  const { name, description, allowNull, uiSchema } = draft.field;
  return { ...draft, field: { ...fresh, name, description, allowNull, uiSchema: { ...fresh.uiSchema, title: uiSchema?.title } } };
}

/** Key of the message for what is wrong with a draft; null when it can be saved. */
export function checkDraft(draft: FieldDraft, taken: readonly string[]): string | null {
  if (!draft.field.uiSchema?.title?.trim()) return 'field.titleMissing';
  const name = checkName(draft.field.name, taken);
  if (name) return name;
  if (draft.field.interface !== 'select') return null;
  const values = choicesOf(draft.field).map((choice) => choice.value.trim());
  if (values.length === 0) return 'field.choicesMissing';
  return values.some((value) => value === '') || new Set(values).size < values.length ? 'field.choicesWrong' : null;
}

const clean = (value: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined && entry !== ''));

/** The body of `fields:create`. */
export function createBody({ field }: FieldDraft): Record<string, unknown> {
  return clean({ ...field, uiSchema: clean({ ...field.uiSchema, title: titleOf(field).trim() }) });
}

/** The body of `fields:update`: what may change on a field that has data. */
export function updateBody(field: FieldMeta, old: FieldMeta): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  const keys = new Set([...Object.keys(field), ...Object.keys(old)]);
  for (const key of keys) {
    const before: unknown = old[key];
    const after: unknown = field[key];
    if (JSON.stringify(before ?? null) !== JSON.stringify(after ?? null)) body[key] = after ?? null;
  }
  return body;
}
