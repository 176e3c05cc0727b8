import type { Icon } from '@tabler/icons-react';
import type { ComponentType, ReactNode } from 'react';

/** One choice of a select field, as stored in `uiSchema.enum`. */
export interface Choice {
  value: string;
  label: string;
  color?: string;
}

/** The collection a relation leads to, as far as values need it. */
export interface RelatedMeta {
  collection: string;
  collectionTitle: string;
  /** Name of the field that identifies its records. */
  key: string;
  /** The field that names them. */
  title?: FieldMeta;
  /** A new record can be made with nothing but its title. */
  isCreatable?: boolean;
}

/** A field as the API describes it (`collections/<name>/fields:list`). */
export interface FieldMeta {
  name: string;
  type: string;
  interface?: string | null;
  uiSchema?: { title?: string; enum?: Choice[]; [key: string]: unknown } | null;
  description?: string | null;
  allowNull?: boolean;
  unique?: boolean;
  primaryKey?: boolean;
  autoIncrement?: boolean;
  hidden?: boolean;
  defaultValue?: unknown;
  length?: number;
  precision?: number;
  scale?: number;
  /** Of relations: added here, the API does not send it. */
  related?: RelatedMeta;
  [option: string]: unknown;
}

export interface ViewProps {
  field: FieldMeta;
  value: unknown;
}

export interface EditProps {
  field: FieldMeta;
  /** The wire value, null when empty, or an InvalidInput. */
  value: unknown;
  onChange: (value: unknown) => void;
  label: ReactNode;
  /** Names the input where there is no room for a label. */
  'aria-label'?: string;
  description?: ReactNode;
  error?: ReactNode;
  required?: boolean;
  autoFocus?: boolean;
  disabled?: boolean;
}

export interface FilterValueProps {
  field: FieldMeta;
  operator: string;
  value: unknown;
  onChange: (value: unknown) => void;
  label: string;
}

export interface ConfigProps {
  field: FieldMeta;
  onChange: (patch: Partial<FieldMeta>) => void;
  /** The field exists already: what would change its column is locked. */
  existing: boolean;
}

/** Editing in the cell of a list. */
export interface CellEditing {
  /** An input of one line; a list of choices; a panel below the cell; or no input: Enter turns it over. */
  look: 'line' | 'choice' | 'box' | 'toggle';
  /** Of the input of one line; default is text. */
  inputType?: 'text' | 'date' | 'datetime-local';
  /** Text that was typed or pasted as wire value: null for nothing, InvalidInput when it cannot be one. */
  parse: (text: string, field: FieldMeta) => unknown;
}

export type InterfaceGroup = 'basic' | 'choices' | 'date' | 'relation' | 'advanced' | 'system';

/** Everything the UI knows about one kind of field; one file per interface. */
export interface FieldInterface {
  /** Name in this registry and in the translations. */
  id: string;
  group: InterfaceGroup;
  icon: Icon;
  /** What a new field of this kind is created with. */
  wire: { interface: string; type: string; [option: string]: unknown };
  /** Its value is one linked record, or a list of them. */
  relation?: 'one' | 'many';
  /** Offered when a field is added. */
  creatable: boolean;
  canBeUnique: boolean;
  /** Words to search in (quick search) with `$includes`. */
  searchable: boolean;
  /** Default width of the column in pixels. */
  width: number;
  align?: 'start' | 'end';
  operators: readonly string[];
  /** Plain text of a value in the user's language; '' for nothing. */
  text: (value: unknown, field: FieldMeta, language: string) => string;
  /** Text for other programs, the same in every language; `inCell.parse` reads it back. */
  plain: (value: unknown, field: FieldMeta) => string;
  Cell: ComponentType<ViewProps>;
  View: ComponentType<ViewProps>;
  /** Null: shown, never edited. */
  Edit: ComponentType<EditProps> | null;
  /** Null: not in a list's cells. */
  inCell: CellEditing | null;
  FilterValue: ComponentType<FilterValueProps> | null;
  Config: ComponentType<ConfigProps> | null;
  /** Key of the message for a value that cannot be saved; null when it can. */
  check?: (value: unknown, field: FieldMeta) => string | null;
}

/** What somebody typed and what cannot be a value (yet). It is never sent. */
export class InvalidInput {
  constructor(readonly text: string) {}
}

/** `{{t("Created at")}}` is how other clients mark a title that may be translated; the words inside are shown. */
const MARKED = /^\{\{\s*t\(\s*["'](.*?)["'].*\)\s*\}\}$/;

export function titleOf(field: FieldMeta): string {
  const title = field.uiSchema?.title;
  return title ? plainTitle(title) : field.name;
}

export function plainTitle(title: string): string {
  return MARKED.exec(title)?.[1] ?? title;
}

export function choicesOf(field: FieldMeta): Choice[] {
  const given = field.uiSchema?.enum;
  return Array.isArray(given) ? given : [];
}

export function isEmptyValue(value: unknown): boolean {
  return value === null || value === undefined || value === '';
}
