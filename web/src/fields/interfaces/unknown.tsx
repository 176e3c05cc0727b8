import { IconQuestionMark } from '@tabler/icons-react';
import { PRESENCE } from '../operators';
import { asText, plainDisplay } from '../parts/plain';
import type { FieldInterface } from '../types';

/** A field of a kind this UI does not know: readable, never a blank page. */
export const unknown: FieldInterface = {
  id: 'unknown',
  group: 'advanced',
  icon: IconQuestionMark,
  wire: { interface: 'unknown', type: 'unknown' },
  creatable: false,
  canBeUnique: false,
  searchable: false,
  width: 160,
  operators: PRESENCE,
  text: asText,
  plain: asText,
  Cell: plainDisplay(asText),
  View: plainDisplay(asText),
  Edit: null,
  inCell: null,
  FilterValue: null,
  Config: null,
};
