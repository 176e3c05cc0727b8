import i18next from 'i18next';
import { interfaceById, interfaceOf, isEditable, plainTitle, titleOf, type FieldMeta } from '../../fields';

/** A collection as `collections:list?appends[]=fields` describes it. */
export interface CollectionMeta {
  name: string;
  title?: string | null;
  description?: string | null;
  hidden?: boolean;
  template?: string | null;
  titleField?: string | null;
  filterTargetKey?: string | string[] | null;
  /** Made by the server itself (users, roles …); its structure is fixed. */
  system?: boolean;
  /** Not false: the server adds a numeric `id` that `fields` does not list. */
  autoGenId?: boolean;
  createdAt?: boolean;
  updatedAt?: boolean;
  createdBy?: boolean;
  updatedBy?: boolean;
  fields?: FieldMeta[];
  sort?: number | null;
}

export type RecordRow = Record<string, unknown>;

export const collectionTitle = (collection: CollectionMeta): string =>
  collection.title ? plainTitle(collection.title) : collection.name;

export const fieldsOf = (collection: CollectionMeta): FieldMeta[] => collection.fields ?? [];

/**
 * The collection with the fields that options switch on. Collections made by other clients often have
 * a key and times without listing them; screens must not care.
 */
export function withImpliedFields(collection: CollectionMeta): CollectionMeta {
  const fields = fieldsOf(collection);
  const has = (name: string) => fields.some((field) => field.name === name);
  const implied: FieldMeta[] = [];
  if (collection.autoGenId !== false && !has('id') && !fields.some((field) => field.primaryKey)) {
    implied.push({ name: 'id', ...interfaceById('id').wire });
  }
  for (const name of ['createdAt', 'updatedAt', 'createdBy', 'updatedBy'] as const) {
    if (collection[name] === true && !has(name)) implied.push({ name, ...interfaceById(name).wire });
  }
  return implied.length > 0 ? { ...collection, fields: [...fields, ...implied] } : collection;
}

const RELATIONS = new Set(['belongsTo', 'hasOne', 'hasMany', 'belongsToMany', 'belongsToArray']);
/** Relations that are shown as a name. */
const PEOPLE = new Set(['createdBy', 'updatedBy']);
const SYSTEM_TITLES = new Set(['id', 'createdAt', 'updatedAt', ...PEOPLE]);

/** Relations that lists and records must ask for. */
export const appendsOf = (collection: CollectionMeta): string[] =>
  fieldsOf(collection).filter((field) => PEOPLE.has(interfaceOf(field).id)).map((field) => field.name);

/** Fields with a value of their own that people may see. */
export function shownFields(collection: CollectionMeta): FieldMeta[] {
  return fieldsOf(collection).filter(
    (field) =>
      (!RELATIONS.has(field.type) || PEOPLE.has(interfaceOf(field).id)) && field.hidden !== true && field.type !== 'password' && field.isForeignKey !== true,
  );
}

export const editableFields = (collection: CollectionMeta): FieldMeta[] => shownFields(collection).filter(isEditable);

export const isSystemField = (field: FieldMeta): boolean =>
  interfaceOf(field).group === 'system' || RELATIONS.has(field.type) || field.isForeignKey === true || field.primaryKey === true;

/** Title of a field; those the server adds are named in the user's language. */
export function fieldTitle(field: FieldMeta): string {
  const kind = interfaceOf(field).id;
  if (!field.uiSchema?.title && SYSTEM_TITLES.has(kind)) return i18next.t(`interface.${kind}`, { ns: 'fields' });
  return titleOf(field);
}

/** Name of the field that identifies a record in addresses; null when there is none. */
export function keyField(collection: CollectionMeta): string | null {
  const { filterTargetKey } = collection;
  if (typeof filterTargetKey === 'string' && filterTargetKey) return filterTargetKey;
  const primary = fieldsOf(collection).find((field) => field.primaryKey);
  return primary?.name ?? (fieldsOf(collection).some((field) => field.name === 'id') ? 'id' : null);
}

/** The field that names a record to people. */
export function titleField(collection: CollectionMeta): FieldMeta | undefined {
  const shown = shownFields(collection);
  return (
    shown.find((field) => field.name === collection.titleField) ??
    shown.find((field) => interfaceOf(field).id === 'text' && !field.primaryKey) ??
    shown.find((field) => interfaceOf(field).searchable)
  );
}

/** What a record is called: the text of its title field, else its key. */
export function recordTitle(collection: CollectionMeta, row: RecordRow): string {
  const field = titleField(collection);
  const text = field ? interfaceOf(field).text(row[field.name], field, i18next.language) : '';
  const key = keyField(collection);
  return text || `${collectionTitle(collection)} ${key ? String(row[key] ?? '') : ''}`.trim();
}

/** Fields in the order of a list: what names the record first, what the server fills last. */
export function listFields(collection: CollectionMeta): FieldMeta[] {
  const shown = shownFields(collection);
  const title = titleField(collection);
  const system = shown.filter((field) => field !== title && isSystemField(field));
  const own = shown.filter((field) => field !== title && !system.includes(field));
  return [...(title ? [title] : []), ...own, ...system];
}
