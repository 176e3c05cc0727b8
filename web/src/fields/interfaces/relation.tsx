/** Fields that link to records of a collection. They are made with the relation wizard. */
import { IconArrowRight, IconArrowsLeftRight, IconArrowsSplit2, IconLink, IconList } from '@tabler/icons-react';
import { isEmptyValue, InvalidInput, type FieldInterface } from '../types';
import { ManyCell, manyText, ManyView, OneCell, oneText, OneView } from '../parts/related';
import { ManyInput, OneInput } from '../parts/RelatedInput';

const common = { group: 'relation', creatable: false, canBeUnique: false, searchable: false, operators: [], FilterValue: null, Config: null } as const;

export const m2o: FieldInterface = {
  ...common,
  id: 'm2o',
  icon: IconArrowRight,
  wire: { interface: 'm2o', type: 'belongsTo' },
  relation: 'one',
  width: 180,
  text: oneText,
  plain: oneText,
  Cell: OneCell,
  View: OneView,
  Edit: OneInput,
  // A text says which record is meant only when it was chosen.
  inCell: { look: 'choice', parse: (text) => (text.trim() === '' ? null : new InvalidInput(text)) },
  check: (value) => (value instanceof InvalidInput ? 'invalid.record' : null),
};

export const obo: FieldInterface = { ...m2o, id: 'obo', icon: IconLink, wire: { interface: 'obo', type: 'belongsTo' } };

export const oho: FieldInterface = { ...m2o, id: 'oho', icon: IconLink, wire: { interface: 'oho', type: 'hasOne' }, inCell: null };

export const o2m: FieldInterface = {
  ...common,
  id: 'o2m',
  icon: IconList,
  wire: { interface: 'o2m', type: 'hasMany' },
  relation: 'many',
  width: 220,
  text: manyText,
  plain: manyText,
  Cell: ManyCell,
  View: ManyView,
  Edit: ManyInput,
  inCell: null,
  check: (value) => (isEmptyValue(value) || Array.isArray(value) ? null : 'invalid.record'),
};

export const m2m: FieldInterface = { ...o2m, id: 'm2m', icon: IconArrowsLeftRight, wire: { interface: 'm2m', type: 'belongsToMany' } };

export const mbm: FieldInterface = { ...o2m, id: 'mbm', icon: IconArrowsSplit2, wire: { interface: 'mbm', type: 'belongsToArray' } };

/** Stands for the linked records themselves in conditions: are there any? */
export const link: FieldInterface = { ...m2o, id: 'link', wire: { interface: 'link', type: 'link' }, relation: undefined, operators: ['$exists', '$notExists'], Edit: null, inCell: null };
