import type { FieldMeta } from '../../fields';
import { fieldsOf, fieldTitle, isRelation, shownFields, type CollectionMeta } from '../data/model';

const AUTOMATIC = new Set(['createdAt', 'updatedAt', 'createdBy', 'updatedBy', 'createdById', 'updatedById']);

/** Where a column of a file may go. */
export interface ImportTarget {
  /** Name of the field; for a relation with the field by which linked records are found: `customer.code`. */
  path: string;
  field: FieldMeta;
  /** The field by which linked records are found. */
  by?: FieldMeta;
}

/** Fields that a file's column may be written to; `id` only finds records. */
export function importTargets(collection: CollectionMeta, others: CollectionMeta[]): ImportTarget[] {
  return shownFields(collection)
    .filter((field) => !AUTOMATIC.has(field.name) && !AUTOMATIC.has(field.interface ?? ''))
    .flatMap((field): ImportTarget[] =>
      isRelation(field) ? linkKeys(field, others).map((by) => ({ path: `${field.name}.${by.name}`, field, by })) : [{ path: field.name, field }],
    );
}

/** The fields by which linked records may be found, what names them first: few records have the same value in them. */
function linkKeys(field: FieldMeta, others: CollectionMeta[]): FieldMeta[] {
  const target = others.find((collection) => collection.name === field.related?.collection);
  if (!target || !field.related) return [];
  const { title, key } = field.related;
  const names = title && (target.titleField === title.name || (!target.titleField && title.type === 'string')) ? [title.name] : [];
  const unique = shownFields(target).filter((each) => each.unique === true && !isRelation(each)).map((each) => each.name);
  return [...new Set([...names, ...unique, key])].flatMap((name) => fieldsOf(target).find((each) => each.name === name) ?? []);
}

/** The targets that are chosen by themselves: one for each field, and none that the database numbers. */
export function usualTargets(targets: ImportTarget[]): ImportTarget[] {
  const seen = new Set<string>();
  return targets.filter(({ field, by }) => {
    if (seen.has(field.name) || (!by && (field.autoIncrement === true || field.interface === 'id'))) return false;
    seen.add(field.name);
    return true;
  });
}

/** Which target each title of a file means: the same title or name, whatever the case and the signs in between. */
export function matchColumns(titles: string[], targets: ImportTarget[]): (string | null)[] {
  const plain = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
  const free = [...targets];
  return titles.map((title) => {
    const wanted = plain(title);
    if (!wanted) return null;
    const index = free.findIndex(({ field, path }) => [fieldTitle(field), field.name, path].some((name) => plain(name) === wanted));
    return index < 0 ? null : (free.splice(index, 1)[0]?.path ?? null);
  });
}

/** The field that a path writes: `customer` of `customer.code`. */
export const rootOf = (path: string): string => path.split('.')[0] ?? path;

/** Where a column of an export comes from; linked records are shown by their titles, people by name. */
export function exportColumn(field: FieldMeta): { dataIndex: string[]; title: string } {
  const { related } = field;
  const path = related ? [field.name, related.title?.name ?? related.key] : field.type === 'belongsTo' ? [field.name, 'nickname'] : [field.name];
  return { dataIndex: path, title: fieldTitle(field) };
}
