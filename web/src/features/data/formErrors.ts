/** Which field of a form an error of the API belongs to. */
import type { ApiError, ErrorItem } from '../../app/errors';
import { titleOf, type FieldMeta } from '../../fields';

export interface FormErrors {
  fields: Record<string, string>;
  /** Messages that belong to no field. */
  rest: ErrorItem[];
}

/** Messages name a field by key, or start with its title: "Code already exists", "Orders: Code is required". */
export function mapErrors(error: ApiError, fields: FieldMeta[]): FormErrors {
  const result: FormErrors = { fields: {}, rest: [] };
  for (const item of error.items) {
    const field = fields.find((candidate) => candidate.name === item.field) ?? fieldNamedIn(item.message, fields);
    if (!field) result.rest.push(item);
    else result.fields[field.name] = [result.fields[field.name], item.message].filter(Boolean).join(' ');
  }
  return result;
}

function fieldNamedIn(message: string, fields: FieldMeta[]): FieldMeta | undefined {
  const names = (field: FieldMeta) => [titleOf(field), field.name];
  const hits = fields.flatMap((field) =>
    names(field)
      .filter((name) => startsWithName(message, name) || startsWithName(message.replace(/^[^:]+:\s*/, ''), name))
      .map((name) => ({ field, length: name.length })),
  );
  // "Code name" and "Code" are both fields: the longer name is meant.
  return hits.sort((a, b) => b.length - a.length)[0]?.field;
}

function startsWithName(message: string, name: string): boolean {
  const text = message.replace(/^["'“]/, '');
  if (!text.toLowerCase().startsWith(name.toLowerCase())) return false;
  const next = text.charAt(name.length);
  return next === '' || !/[\p{L}\p{N}_]/u.test(next);
}
