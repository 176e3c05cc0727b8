import i18next from 'i18next';
import type { CellInputProps, GridCellEdit, GridColumn } from '../../ui/DataGrid';
import type { FilterField } from '../../ui/FilterBuilder';
import { interfaceOf, isEditable, isEmptyValue, type FieldMeta } from '../../fields';
import { fieldProblem } from './fieldProblem';
import { fieldTitle, isSystemField, keyField, listFields, titleField, type CollectionMeta, type RecordRow } from './model';

/** Columns shown before the user chooses; the others wait in the Columns menu. */
const SHOWN = 8;
const PEOPLE = new Set(['createdBy', 'updatedBy']);
const UNSORTABLE = new Set(['json', 'unknown', ...PEOPLE]);

export function recordColumns(collection: CollectionMeta): GridColumn<RecordRow>[] {
  const title = titleField(collection);
  const key = keyField(collection);
  return listFields(collection).map((field, index) => {
    const kind = interfaceOf(field);
    const isTitle = title ? field === title : field.name === key;
    return {
      id: field.name,
      title: fieldTitle(field),
      width: isTitle ? Math.max(kind.width, 220) : kind.width,
      align: kind.align,
      sortable: !UNSORTABLE.has(kind.id),
      hidden: !isTitle && (index >= SHOWN || (isSystemField(field) && kind.id !== 'updatedAt')),
      text: (row) => kind.text(row[field.name], field, i18next.language),
      copy: (row) => kind.plain(row[field.name], field),
      edit: cellEdit(field),
      cell: (row) => <kind.Cell field={field} value={row[field.name]} />,
      card: isTitle ? 'title' : 'field',
    };
  });
}

/** Editing of a field in the list; undefined for what only the server or a form may write. */
function cellEdit(field: FieldMeta): GridCellEdit<RecordRow> | undefined {
  const { inCell, Edit } = interfaceOf(field);
  // The key of a record never changes.
  if (!inCell || !Edit || !isEditable(field) || field.primaryKey) return undefined;
  const { look, inputType, parse } = inCell;
  const Input = ({ label, ...input }: CellInputProps) => (
    <Edit field={field} label={look === 'choice' ? undefined : label} aria-label={look === 'choice' ? label : undefined} {...input} />
  );
  return {
    look,
    inputType,
    value: (row) => row[field.name],
    apply: (row, value) => ({ ...row, [field.name]: value }),
    parse: (text) => parse(text, field),
    check: (value) => fieldProblem(field, isEmptyValue(value) ? null : value),
    Input,
  };
}

export function recordFilterFields(collection: CollectionMeta): FilterField[] {
  return listFields(collection).map((field) => {
    const title = fieldTitle(field);
    // People are found by their name.
    if (PEOPLE.has(interfaceOf(field).id)) {
      return { path: `${field.name}.nickname`, title, field: { name: 'nickname', type: 'string', interface: 'input' } };
    }
    return { path: field.name, title, field };
  });
}
