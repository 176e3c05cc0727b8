import type { FieldMeta } from '../../fields';

/** A field that conditions can be about. */
export interface FilterField {
  /** Name, or a path through relations. */
  path: string;
  title: string;
  field: FieldMeta;
}
