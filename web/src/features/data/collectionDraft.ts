/** A collection while it is being described, and the request that makes it. */
import { interfaceById } from '../../fields';
import { checkDraft, createBody, draftOf, type FieldDraft } from './fieldDraft';
import { checkName } from './names';

export const PRESETS = ['createdAt', 'updatedAt', 'createdBy', 'updatedBy'] as const;
export type Preset = (typeof PRESETS)[number];

export interface CollectionDraft {
  title: string;
  name: string;
  namedByHand: boolean;
  description: string;
  /** Records have a parent and children. */
  tree: boolean;
  presets: Preset[];
  fields: FieldDraft[];
}

/** The first field is there already: a collection without a name for its records is of little use. */
export const emptyCollection = (): CollectionDraft => ({
  title: '',
  name: '',
  namedByHand: false,
  description: '',
  tree: false,
  presets: [...PRESETS],
  fields: [draftOf(interfaceById('text'))],
});

/** Names the server gives to its own fields. */
const RESERVED = ['id', 'createdAt', 'updatedAt', 'createdBy', 'updatedBy', 'createdById', 'updatedById'];
const RESERVED_IN_TREES = ['parent', 'parentId', 'children'];

/** Rows nobody filled in do not count. */
const isBlank = ({ field }: FieldDraft) => !field.uiSchema?.title?.trim() && field.name === '';

/** Message keys by place: `title`, `name`, `field.<index>`; empty when all is well. */
export function checkCollection(draft: CollectionDraft, taken: readonly string[]): Record<string, string> {
  const wrong: Record<string, string> = {};
  if (!draft.title.trim()) wrong.title = 'collections.titleMissing';
  const name = checkName(draft.name, taken);
  if (name && !(name === 'name.missing' && wrong.title)) wrong.name = name;
  draft.fields.forEach((field, at) => {
    if (isBlank(field)) return;
    const others = draft.fields.filter((_, index) => index !== at).map((other) => other.field.name);
    const message = checkDraft(field, [...RESERVED, ...(draft.tree ? RESERVED_IN_TREES : []), ...others]);
    if (message) wrong[`field.${at}`] = message;
  });
  return wrong;
}

/** The body of `collections:create`. */
export function collectionBody(draft: CollectionDraft): Record<string, unknown> {
  const has = (preset: Preset) => draft.presets.includes(preset);
  const times = (['createdAt', 'updatedAt'] as const).filter(has);
  return {
    name: draft.name,
    title: draft.title.trim(),
    ...(draft.description.trim() ? { description: draft.description.trim() } : {}),
    ...(draft.tree ? { template: 'tree', tree: 'adjacency-list' } : { template: 'general' }),
    autoGenId: false,
    ...Object.fromEntries(PRESETS.map((preset) => [preset, has(preset)])),
    fields: [
      { name: 'id', ...interfaceById('id').wire },
      ...draft.fields.filter((field) => !isBlank(field)).map(createBody),
      ...times.map((name) => ({ name, ...interfaceById(name).wire })),
    ],
  };
}
