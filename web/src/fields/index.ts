export { INTERFACES, interfaceById, interfaceOf, isEditable, isRequired } from './registry';
export {
  choicesOf,
  InvalidInput,
  isEmptyValue,
  plainTitle,
  titleOf,
  type CellEditing,
  type Choice,
  type FieldInterface,
  type FieldMeta,
  type InterfaceGroup,
  type RelatedMeta,
} from './types';
