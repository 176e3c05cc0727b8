import type { FieldMeta } from '../../fields';

/** A field that conditions can be about. */
export interface FilterField {
  /** Name, or a path through relations. */
  path: string;
  title: string;
  field: FieldMeta;
  /** Id of the column it belongs to, when that is not its path. */
  column?: string;
  /** Fields of one relation stand together. */
  group?: string;
}
