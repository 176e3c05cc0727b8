import i18next from 'i18next';
import type { GridColumn } from '../../ui/DataGrid';
import type { FilterField } from '../../ui/FilterBuilder';
import { interfaceOf } from '../../fields';
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
      cell: (row) => <kind.Cell field={field} value={row[field.name]} />,
      card: isTitle ? 'title' : 'field',
    };
  });
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
