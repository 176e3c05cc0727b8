/** Fields the server fills: shown, filtered and sorted, never edited. */
import { IconCalendarPlus, IconCalendarStats, IconKey } from '@tabler/icons-react';
import { asText, plainDisplay } from '../parts/plain';
import type { FieldInterface } from '../types';
import { datetime } from './datetime';
import { integer } from './integer';

export const id: FieldInterface = {
  ...integer,
  id: 'id',
  group: 'system',
  icon: IconKey,
  wire: { interface: 'id', type: 'bigInt', autoIncrement: true, primaryKey: true, allowNull: false },
  creatable: false,
  width: 90,
  text: asText,
  Cell: plainDisplay(asText),
  View: plainDisplay(asText),
  Edit: null,
  inCell: null,
  Config: null,
};

export const createdAt: FieldInterface = {
  ...datetime,
  id: 'createdAt',
  group: 'system',
  icon: IconCalendarPlus,
  wire: { interface: 'createdAt', type: 'date' },
  creatable: false,
  Edit: null,
  inCell: null,
  Config: null,
};

export const updatedAt: FieldInterface = {
  ...createdAt,
  id: 'updatedAt',
  icon: IconCalendarStats,
  wire: { interface: 'updatedAt', type: 'date' },
};
