import i18next from 'i18next';
import type { CellInputProps, GridCellEdit, GridColumn } from '../../ui/DataGrid';
import type { FilterField } from '../../ui/FilterBuilder';
import { interfaceOf, isEditable, isEmptyValue, type FieldMeta } from '../../fields';
import { fieldProblem } from './fieldProblem';
import { collectionTitle, columnFields, fieldTitle, isRelation, isSystemField, keyField, listFields, titleField, type CollectionMeta, type RecordRow } from './model';

/** Columns shown before the user chooses; the others wait in the Columns menu. */
const SHOWN = 8;
const PEOPLE = new Set(['createdBy', 'updatedBy']);
const UNSORTABLE = new Set(['json', 'unknown', ...PEOPLE]);

export function recordColumns(collection: CollectionMeta): GridColumn<RecordRow>[] {
  const title = titleField(collection);
  const key = keyField(collection);
  return columnFields(collection).map((field, index) => {
    const kind = interfaceOf(field);
    const isTitle = title ? field === title : field.name === key;
    return {
      id: field.name,
      title: fieldTitle(field),
      width: isTitle ? Math.max(kind.width, 220) : kind.width,
      align: kind.align,
      sortable: !UNSORTABLE.has(kind.id) && kind.relation !== 'many',
      hidden: !isTitle && (index >= SHOWN || field.type === 'hasMany' || (isSystemField(field) && kind.id !== 'updatedAt')),
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
  if (!inCell || !Edit || !isEditable(field) || field.primaryKey || field.isForeignKey === true) return undefined;
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

/** What can be filtered by: the collection's own fields, and those of the records they link to. */
export function recordFilterFields(collection: CollectionMeta, others: CollectionMeta[]): FilterField[] {
  return columnFields(collection).flatMap((field) => {
    const title = fieldTitle(field);
    // People are found by their name.
    if (PEOPLE.has(interfaceOf(field).id)) {
      return { path: `${field.name}.nickname`, title, field: { name: 'nickname', type: 'string', interface: 'input' }, column: field.name };
    }
    return isRelation(field) ? relatedFilterFields(field, title, others) : { path: field.name, title, field };
  });
}

function relatedFilterFields(field: FieldMeta, title: string, others: CollectionMeta[]): FilterField[] {
  const target = others.find((collection) => collection.name === field.related?.collection);
  if (!target || !field.related) return [];
  const path = (name: string) => `${field.name}.${name}`;
  const named = (name: string) => i18next.t('filter.through', { ns: 'data', relation: title, field: name });
  const inner = listFields(target).filter((each) => !isRelation(each) && each.name !== field.related?.key);
  return [
    ...inner.map((each) => ({ path: path(each.name), title: named(fieldTitle(each)), field: each, column: field.name, group: title })),
    // Whether anything is linked at all.
    {
      path: path(field.related.key),
      title: i18next.t('filter.linked', { ns: 'data', relation: title, collection: collectionTitle(target) }),
      field: { name: field.related.key, type: 'link' },
      column: field.name,
      group: title,
    },
  ];
}
