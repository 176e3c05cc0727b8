export { INTERFACES, interfaceById, interfaceOf, isEditable, isRequired } from './registry';
export {
  choicesOf,
  InvalidInput,
  isEmptyValue,
  titleOf,
  type Choice,
  type FieldInterface,
  type FieldMeta,
  type InterfaceGroup,
} from './types';
