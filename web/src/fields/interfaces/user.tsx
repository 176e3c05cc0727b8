/** Who made or last changed a record; the server fills it in. */
import { IconUserEdit, IconUserPlus } from '@tabler/icons-react';
import { plainDisplay } from '../parts/plain';
import type { FieldInterface } from '../types';

interface Person {
  id?: unknown;
  nickname?: string | null;
  username?: string | null;
  email?: string | null;
}

function personName(value: unknown): string {
  if (typeof value !== 'object' || value === null) return '';
  const { id, nickname, username, email } = value as Person;
  return nickname || username || email || (id === undefined ? '' : `#${String(id)}`);
}

export const createdBy: FieldInterface = {
  id: 'createdBy',
  group: 'system',
  icon: IconUserPlus,
  wire: { interface: 'createdBy', type: 'belongsTo', target: 'users' },
  creatable: false,
  canBeUnique: false,
  searchable: false,
  width: 150,
  operators: [],
  text: personName,
  plain: personName,
  Cell: plainDisplay(personName),
  View: plainDisplay(personName),
  Edit: null,
  inCell: null,
  FilterValue: null,
  Config: null,
};

export const updatedBy: FieldInterface = {
  ...createdBy,
  id: 'updatedBy',
  icon: IconUserEdit,
  wire: { interface: 'updatedBy', type: 'belongsTo', target: 'users' },
};
