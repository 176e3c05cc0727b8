/** Linked records as values: what they are called, and links to them. */
import { Group, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import i18next from 'i18next';
import { useTranslation } from 'react-i18next';
import { interfaceOf } from '../registry';
import { isEmptyValue, type FieldMeta, type RelatedMeta, type ViewProps } from '../types';
import { asText, Nothing } from './plain';
import classes from './related.module.css';

export type LinkedRecord = Record<string, unknown>;

/** Pills of a cell; the rest is a number. */
const IN_CELL = 2;
/** Links of a view; the rest is a number. */
const IN_VIEW = 50;

const isRecord = (value: unknown): value is LinkedRecord => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A linked record out of a value; a mere key is a record with nothing else. */
export function linkedRecord(value: unknown, related: RelatedMeta | undefined): LinkedRecord | null {
  if (isRecord(value)) return value;
  return isEmptyValue(value) || typeof value === 'object' || !related ? null : { [related.key]: value };
}

export function linkedRecords(value: unknown, related: RelatedMeta | undefined): LinkedRecord[] {
  return Array.isArray(value) ? value.map((item: unknown) => linkedRecord(item, related)).filter((record) => record !== null) : [];
}

export const keyOf = (record: LinkedRecord, related: RelatedMeta): string => asText(record[related.key]);

/** What a linked record is called: its title, else its key. */
export function recordLabel(record: LinkedRecord, related: RelatedMeta): string {
  const { title } = related;
  const text = title ? interfaceOf(title).text(record[title.name], title, i18next.language) : '';
  return text || `#${keyOf(record, related)}`;
}

export function oneText(value: unknown, field: FieldMeta): string {
  const record = linkedRecord(value, field.related);
  if (!record || !field.related) return asText(value);
  return recordLabel(record, field.related);
}

export function manyText(value: unknown, field: FieldMeta): string {
  const { related } = field;
  if (!related || !Array.isArray(value)) return asText(value);
  return linkedRecords(value, related)
    .map((record) => recordLabel(record, related))
    .join(', ');
}

/** Leads to the page of a record. */
export function RecordLink({ record, related, inCell }: { record: LinkedRecord; related: RelatedMeta; inCell?: boolean }) {
  return (
    <Link
      className={inCell ? `${classes.link} ${classes.inCell}` : classes.link}
      to="/admin/r/$collection/$id"
      params={{ collection: related.collection, id: keyOf(record, related) } as never}
      // A list is one tab stop; its cells are reached with the arrows.
      tabIndex={inCell ? -1 : undefined}
      draggable={false}
    >
      {recordLabel(record, related)}
    </Link>
  );
}

export function OneCell({ field, value }: ViewProps) {
  return <One field={field} value={value} inCell />;
}

export function OneView({ field, value }: ViewProps) {
  return <One field={field} value={value} />;
}

function One({ field, value, inCell }: ViewProps & { inCell?: boolean }) {
  const record = linkedRecord(value, field.related);
  if (record && field.related) return <RecordLink record={record} related={field.related} inCell={inCell} />;
  return isEmptyValue(value) ? <Nothing /> : <>{asText(value)}</>;
}

/** "a, b +2" as pills. */
export function ManyCell({ field, value }: ViewProps) {
  const { related } = field;
  const records = linkedRecords(value, related);
  if (!related) return isEmptyValue(value) ? <Nothing /> : <>{asText(value)}</>;
  if (records.length === 0) return <Nothing />;
  return (
    <span className={classes.pills}>
      {records.slice(0, IN_CELL).map((record) => (
        <span key={keyOf(record, related)} className={classes.pill}>
          {recordLabel(record, related)}
        </span>
      ))}
      {records.length > IN_CELL && <span className={classes.more}>+{records.length - IN_CELL}</span>}
    </span>
  );
}

export function ManyView({ field, value }: ViewProps) {
  const { t } = useTranslation('fields');
  const { related } = field;
  const records = linkedRecords(value, related);
  if (!related) return isEmptyValue(value) ? <Nothing /> : <>{asText(value)}</>;
  if (records.length === 0) return <Nothing />;
  return (
    <Group gap={6}>
      {records.slice(0, IN_VIEW).map((record) => (
        <span key={keyOf(record, related)} className={classes.pill}>
          <RecordLink record={record} related={related} />
        </span>
      ))}
      {records.length > IN_VIEW && (
        <Text span size="sm" c="dimmed">
          {t('related.more', { count: records.length - IN_VIEW })}
        </Text>
      )}
    </Group>
  );
}
