import i18next from 'i18next';
import { interfaceById, interfaceOf, isEditable, isEmptyValue, isRequired, plainTitle, titleOf, type FieldMeta, type RelatedMeta } from '../../fields';

/** A collection as `collections:list?appends[]=fields` describes it. */
export interface CollectionMeta {
  name: string;
  title?: string | null;
  description?: string | null;
  hidden?: boolean;
  /** The records are a tree: `adjacency-list`. */
  tree?: string | null;
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

const ETAG = '__etag';

/** A record with its version, by which a change says what it rests on; see `changeRecord`. */
export const withEtag = (row: RecordRow, etag: string | undefined): RecordRow => (etag === undefined ? row : { ...row, [ETAG]: etag });

export const etagOf = (row: RecordRow): string | undefined => (typeof row[ETAG] === 'string' ? row[ETAG] : undefined);

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

/** Collections that are not in the list and that fields may lead to. */
const OF_SYSTEM: Record<string, RelatedMeta> = {
  attachments: { collection: 'attachments', collectionTitle: 'attachments', key: 'id', title: { name: 'title', type: 'string', interface: 'input' } },
};

const RELATIONS = new Set(['belongsTo', 'hasOne', 'hasMany', 'belongsToMany', 'belongsToArray']);
/** Relations that are shown as a name. */
const PEOPLE = new Set(['createdBy', 'updatedBy']);
const SYSTEM_TITLES = new Set(['id', 'createdAt', 'updatedAt', ...PEOPLE]);

/** All collections, with what relation fields lead to. */
export function withRelated(collections: CollectionMeta[]): CollectionMeta[] {
  const known = new Map(collections.map((collection) => [collection.name, relatedMeta(collection)]));
  return collections.map((collection) => ({
    ...collection,
    fields: fieldsOf(collection).map((field) => {
      const target = typeof field.target === 'string' && isRelation(field) ? (known.get(field.target) ?? OF_SYSTEM[field.target]) : undefined;
      if (!target) return field;
      return { ...field, related: typeof field.targetKey === 'string' ? { ...target, key: field.targetKey } : target };
    }),
  }));
}

function relatedMeta(collection: CollectionMeta): RelatedMeta | undefined {
  const key = keyField(collection);
  if (key === null) return undefined;
  const title = titleField(collection);
  const isCreatable =
    collection.system !== true && title !== undefined && interfaceOf(title).searchable && isEditable(title) &&
    editableFields(collection).every((field) => field === title || !isRequired(field) || !isEmptyValue(field.defaultValue));
  return { collection: collection.name, collectionTitle: collectionTitle(collection), key, title, isCreatable };
}

export const isRelation = (field: FieldMeta): boolean => RELATIONS.has(field.type);

/** A relation to many records: a tab on the page of a record. */
export const toMany = (collection: CollectionMeta): FieldMeta[] =>
  shownFields(collection).filter(
    (field) => interfaceOf(field).relation === 'many' && field.type !== 'belongsToArray' && interfaceOf(field).id !== 'attachment',
  );

/** Records of their own kind hang on them, maybe very many: not loaded with a record, changed on its page. */
const isOwned = (field: FieldMeta) => field.type === 'hasMany';

/** What to ask for so that linked records can be shown: their keys and titles. */
export function appendsOf(fields: FieldMeta[]): string[] {
  return fields.flatMap((field) => {
    if (PEOPLE.has(interfaceOf(field).id) || interfaceOf(field).id === 'attachment') return [field.name];
    if (!isRelation(field) || !field.related) return [];
    const { key, title } = field.related;
    return [...new Set([key, title?.name ?? key])].map((name) => `${field.name}.${name}`);
  });
}

/** Fields that people may see. */
export function shownFields(collection: CollectionMeta): FieldMeta[] {
  return fieldsOf(collection).filter(
    (field) =>
      (!isRelation(field) || field.related !== undefined || PEOPLE.has(interfaceOf(field).id)) &&
      field.hidden !== true && field.type !== 'password' && field.isForeignKey !== true,
  );
}

/** Fields of a record's page and drawer. */
export const recordFields = (collection: CollectionMeta): FieldMeta[] => listFields(collection).filter((field) => !isOwned(field));

export const editableFields = (collection: CollectionMeta): FieldMeta[] => shownFields(collection).filter(isEditable);

/** Fields of a form: what hangs on a record is linked when it is new, and on its page later. */
export const formFields = (collection: CollectionMeta, isNew: boolean): FieldMeta[] =>
  editableFields(collection).filter((field) => isNew || !isOwned(field));

export const isSystemField = (field: FieldMeta): boolean =>
  interfaceOf(field).group === 'system' || field.isForeignKey === true || field.primaryKey === true;

/** Title of a field; those the server adds are named in the user's language. */
export function fieldTitle(field: FieldMeta): string {
  const kind = interfaceOf(field).id;
  if (!field.uiSchema?.title && (field.treeParent === true || field.treeChildren === true)) {
    return i18next.t(field.treeParent === true ? 'tree.parent' : 'tree.children', { ns: 'fields' });
  }
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

/** The fields of a list's columns: foreign keys too, which are hidden until somebody wants them. */
export const columnFields = (collection: CollectionMeta): FieldMeta[] => [
  ...listFields(collection),
  ...fieldsOf(collection).filter((field) => field.isForeignKey === true && field.hidden !== true),
];

/** The relations of a tree collection to parent and children; null when it is none. */
export function treeOf(collection: CollectionMeta): { parent: string; children: string } | null {
  if (!collection.tree) return null;
  const parent = fieldsOf(collection).find((field) => field.treeParent === true);
  const children = fieldsOf(collection).find((field) => field.treeChildren === true);
  return parent && children ? { parent: parent.name, children: children.name } : null;
}
