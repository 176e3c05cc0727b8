import type { FieldMeta } from '../../fields';
import { fieldTitle, isRelation, shownFields, type CollectionMeta } from '../data/model';

/** Fields that a file's column may be written to; `id` only finds records. */
export function importableFields(collection: CollectionMeta): FieldMeta[] {
  const automatic = new Set(['createdAt', 'updatedAt', 'createdBy', 'updatedBy', 'createdById', 'updatedById']);
  return shownFields(collection).filter((field) => !isRelation(field) && !automatic.has(field.name) && !automatic.has(field.interface ?? ''));
}

/** Which field each title of a file means: the same title or name, whatever the case and the signs in between. */
export function matchColumns(titles: string[], fields: FieldMeta[]): (string | null)[] {
  const plain = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
  const free = [...fields];
  return titles.map((title) => {
    const wanted = plain(title);
    if (!wanted) return null;
    const index = free.findIndex((field) => plain(fieldTitle(field)) === wanted || plain(field.name) === wanted);
    return index < 0 ? null : (free.splice(index, 1)[0]?.name ?? null);
  });
}

/** Where a column of an export comes from; linked records are shown by their titles, people by name. */
export function exportColumn(field: FieldMeta): { dataIndex: string[]; title: string } {
  const { related } = field;
  const path = related ? [field.name, related.title?.name ?? related.key] : field.type === 'belongsTo' ? [field.name, 'nickname'] : [field.name];
  return { dataIndex: path, title: fieldTitle(field) };
}
