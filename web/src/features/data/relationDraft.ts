/** A relation while it is being described in two sentences, and the request that makes it. */
import { interfaceOf } from '../../fields';
import { collectionTitle, fieldsOf, type CollectionMeta } from './model';
import { checkName, freeName } from './names';

export type OnDelete = 'SET NULL' | 'CASCADE' | 'RESTRICT' | 'NO ACTION';
export const ON_DELETE: readonly OnDelete[] = ['SET NULL', 'RESTRICT', 'CASCADE', 'NO ACTION'];

/** "One order has one customer. One customer has many orders." is `many: false, backMany: true`. */
export interface RelationDraft {
  target: string;
  /** One record here has many of the other. */
  many: boolean;
  /** One of the other has many here. */
  backMany: boolean;
  title: string;
  /** Undefined: made from the title. */
  name?: string;
  foreignKey?: string;
  through?: string;
  otherKey?: string;
  onDelete: OnDelete;
  reverse: boolean;
  reverseTitle?: string;
  reverseName?: string;
}

export type RelationType = 'belongsTo' | 'hasOne' | 'hasMany' | 'belongsToMany';

export function relationType({ many, backMany }: Pick<RelationDraft, 'many' | 'backMany'>): RelationType {
  if (many) return backMany ? 'belongsToMany' : 'hasMany';
  return backMany ? 'belongsTo' : 'hasOne';
}

const INTERFACES: Record<RelationType, string> = { belongsTo: 'm2o', hasOne: 'oho', hasMany: 'o2m', belongsToMany: 'm2m' };
const REVERSE: Record<RelationType, { type: RelationType; interface: string }> = {
  belongsTo: { type: 'hasMany', interface: 'o2m' },
  hasOne: { type: 'belongsTo', interface: 'obo' },
  hasMany: { type: 'belongsTo', interface: 'm2o' },
  belongsToMany: { type: 'belongsToMany', interface: 'm2m' },
};

/** Everything the draft means, with the names that nobody has typed. */
export interface Relation {
  type: RelationType;
  name: string;
  title: string;
  foreignKey: string;
  /** Which collection has the foreign key as a column; for many to many the one in between. */
  holder: string;
  otherKey: string;
  through: string;
  reverse: { name: string; title: string; type: RelationType; interface: string } | null;
}

const names = (collection: CollectionMeta) => fieldsOf(collection).map((field) => field.name);

export const emptyRelation = (): RelationDraft => ({ target: '', many: false, backMany: true, title: '', onDelete: 'SET NULL', reverse: true });

/** `taken` are the names of all collections, hidden ones too: a collection between two others is hidden. */
export function resolve(
  draft: RelationDraft, here: CollectionMeta, target: CollectionMeta, collections: CollectionMeta[], taken: readonly string[],
): Relation {
  const type = relationType(draft);
  const title = draft.title.trim() || collectionTitle(target);
  const name = draft.name ?? freeName(title, names(here), 'f');
  const reverseTitle = draft.reverseTitle?.trim() || collectionTitle(here);
  const takenThere = target.name === here.name ? [...names(target), name] : names(target);
  const reverseName = draft.reverseName ?? freeName(reverseTitle, takenThere, 'f');
  const through = draft.through ?? freeName(`${here.name}_${target.name}`, taken, 't');
  const holder = type === 'belongsToMany' ? through : type === 'belongsTo' ? here.name : target.name;
  const inHolder = collections.find((each) => each.name === holder);
  const key = type === 'belongsTo' ? `${name}_id` : `${here.name}_id`;
  const foreignKey = draft.foreignKey ?? freeName(key, inHolder ? names(inHolder) : [], 'f');
  const otherKey = draft.otherKey ?? freeName(`${target.name}_id`, [foreignKey], 'f');
  const hasReverse = draft.reverse && target.system !== true;
  return {
    type, name, title, foreignKey, holder, otherKey, through,
    reverse: hasReverse ? { name: reverseName, title: reverseTitle, ...REVERSE[type] } : null,
  };
}

/** Fields that can hold the keys of the other side: those a relation may share instead of a new one. */
export function keyCandidates(holder: CollectionMeta | undefined): string[] {
  if (!holder) return [];
  return fieldsOf(holder).filter((field) => !field.primaryKey && (field.isForeignKey === true || ['integer', 'bigInt'].includes(interfaceOf(field).id))).map((field) => field.name);
}

/** Message keys by place; empty when the relation can be made. */
export function checkRelation(draft: RelationDraft, relation: Relation, here: CollectionMeta, target: CollectionMeta): Record<string, string> {
  const wrong: Record<string, string> = {};
  const put = (place: string, message: string | null) => {
    if (message) wrong[place] = message;
  };
  put('name', checkName(relation.name, names(here)));
  put('foreignKey', checkName(relation.foreignKey, []));
  if (relation.type === 'belongsToMany') {
    put('through', checkName(relation.through, [here.name, target.name]));
    put('otherKey', checkName(relation.otherKey, [relation.foreignKey]));
  }
  if (relation.reverse) {
    const taken = target.name === here.name ? [...names(target), relation.name] : names(target);
    put('reverseName', checkName(relation.reverse.name, taken));
  }
  if (target.system === true && (relation.type === 'hasOne' || relation.type === 'hasMany')) wrong.target = 'relation.systemTarget';
  if (!draft.target) wrong.target = 'relation.targetMissing';
  return wrong;
}

/** The body of `fields:create`. */
export function relationBody(draft: RelationDraft, relation: Relation): Record<string, unknown> {
  const between = relation.type === 'belongsToMany';
  return {
    name: relation.name,
    type: relation.type,
    interface: INTERFACES[relation.type],
    target: draft.target,
    foreignKey: relation.foreignKey,
    uiSchema: { title: relation.title },
    ...(between ? { through: relation.through, otherKey: relation.otherKey } : { onDelete: draft.onDelete }),
    ...(relation.reverse
      ? {
          reverseField: {
            name: relation.reverse.name, type: relation.reverse.type, interface: relation.reverse.interface, uiSchema: { title: relation.reverse.title },
          },
        }
      : {}),
  };
}

