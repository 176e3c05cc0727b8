import { Skeleton, Tabs } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import type { Key } from '../../app/api';
import type { FieldMeta } from '../../fields';
import classes from './data.module.css';
import { fieldTitle, toMany, type CollectionMeta, type RecordRow } from './model';
import { collectionsQuery } from './queries';
import { RecordDetails } from './RecordDetails';
import { RelatedRecords, useRelatedCount } from './RelatedRecords';

interface Props {
  collection: CollectionMeta;
  recordKey: Key;
  record: RecordRow | undefined;
}

const DETAILS = 'details';

/** A record's values, and a tab for each relation to many. */
export function RecordTabs({ collection, recordKey, record }: Props) {
  const { t } = useTranslation(['data', 'fields']);
  const navigate = useNavigate();
  const { tab: wanted } = useSearch({ from: '/admin/r/$collection/$id' });
  const { data: collections = [] } = useQuery(collectionsQuery);
  const relations = toMany(collection).flatMap((field) => {
    const target = collections.find((other) => other.name === field.target);
    return target ? [{ field, target }] : [];
  });
  const details = <div className={classes.panel}>{record ? <RecordDetails collection={collection} record={record} /> : <Skeleton height={160} />}</div>;
  if (relations.length === 0) return details;
  const tab = relations.some(({ field }) => field.name === wanted) ? (wanted ?? DETAILS) : DETAILS;
  return (
    <Tabs
      value={tab}
      keepMounted={false}
      // Another list: filter and page of this one are left behind.
      onChange={(next) => void navigate({ to: '.', search: next === null || next === DETAILS ? {} : { tab: next } })}
    >
      <Tabs.List mb="md">
        <Tabs.Tab value={DETAILS}>{t('record.details')}</Tabs.Tab>
        {relations.map(({ field, target }) => (
          <Tabs.Tab key={field.name} value={field.name}>
            {fieldTitle(field)}{' '}
            <Count collection={collection} recordKey={recordKey} field={field} target={target.name} />
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <Tabs.Panel value={DETAILS}>{details}</Tabs.Panel>
      {relations.map(({ field, target }) => (
        <Tabs.Panel key={field.name} value={field.name}>
          <RelatedRecords source={collection} sourceKey={recordKey} field={field} target={target} />
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}

function Count({ collection, recordKey, field, target }: { collection: CollectionMeta; recordKey: Key; field: FieldMeta; target: string }) {
  const { i18n } = useTranslation();
  const count = useRelatedCount(collection, recordKey, field, target);
  if (typeof count !== 'number') return null;
  return <span className={classes.tabCount}>{new Intl.NumberFormat(i18n.language).format(count)}</span>;
}
