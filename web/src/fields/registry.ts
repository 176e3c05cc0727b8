/** All kinds of fields, in the order of the picker. A new kind is a new file and one line here. */
import { attachment } from './interfaces/attachment';
import { bigInt } from './interfaces/bigInt';
import { checkbox } from './interfaces/checkbox';
import { date } from './interfaces/date';
import { datetime } from './interfaces/datetime';
import { decimal } from './interfaces/decimal';
import { integer } from './interfaces/integer';
import { json } from './interfaces/json';
import { longText } from './interfaces/longText';
import { number } from './interfaces/number';
import { link, m2m, m2o, mbm, o2m, obo, oho } from './interfaces/relation';
import { select } from './interfaces/select';
import { createdAt, id, updatedAt } from './interfaces/system';
import { text } from './interfaces/text';
import { unknown } from './interfaces/unknown';
import { createdBy, updatedBy } from './interfaces/user';
import { uuid } from './interfaces/uuid';
import type { FieldInterface, FieldMeta } from './types';

export const INTERFACES: readonly FieldInterface[] = [
  text, longText, integer, bigInt, number, decimal, checkbox, select, datetime, date, attachment, m2o, oho, obo, o2m, m2m, mbm, json, uuid, id, createdAt, updatedAt,
  createdBy, updatedBy,
];

/** Kind of a field that was made without an interface, by its type. */
const BY_TYPE: Record<string, FieldInterface> = {
  string: text, uid: text, nanoid: text, text: longText, integer, bigInt, double: number, float: number, real: number, decimal,
  boolean: checkbox, date: datetime, datetime, datetimeTz: datetime, dateOnly: date, json, jsonb: json, uuid,
  snowflakeId: id, belongsTo: m2o, hasOne: oho, hasMany: o2m, belongsToMany: m2m, belongsToArray: mbm, link,
};

/** Other names the API knows for the same kind. */
const ALIASES: Record<string, FieldInterface> = { radioGroup: select, snowflakeId: id, phone: text, email: text, url: longText };

/** The kind of a field: interface and type together, then the interface, then the type. */
export function interfaceOf(field: FieldMeta): FieldInterface {
  const named = INTERFACES.filter((kind) => kind.wire.interface === field.interface);
  return (
    named.find((kind) => kind.wire.type === field.type) ??
    named[0] ??
    (field.interface ? ALIASES[field.interface] : undefined) ??
    BY_TYPE[field.type] ??
    unknown
  );
}

export function interfaceById(name: string): FieldInterface {
  return INTERFACES.find((kind) => kind.id === name) ?? unknown;
}

/** True when people may write the field. */
export function isEditable(field: FieldMeta): boolean {
  return interfaceOf(field).Edit !== null && !field.autoIncrement && field.hidden !== true;
}

export function isRequired(field: FieldMeta): boolean {
  return (field.allowNull === false || field.uiSchema?.required === true) && !(field.primaryKey && field.autoIncrement);
}
