import { ActionIcon, Checkbox, Group, Stack } from '@mantine/core';
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { FieldMeta } from '../../fields';
import { fieldsOf, fieldTitle, isRelation, listFields, type CollectionMeta } from '../data/model';
import { exportColumn } from './format';
import classes from './transfer.module.css';

/** Linked records of linked records of linked records; further ones are asked for over the API. */
const DEEPEST = 3;

interface Props {
  collection: CollectionMeta;
  others: CollectionMeta[];
  /** Relations that lead here, each with a dot behind it. */
  path: string;
}

const targetOf = (field: FieldMeta, others: CollectionMeta[]) => others.find((collection) => isRelation(field) && collection.name === field.related?.collection);

/** The fields of a collection as checkboxes of a group, those of linked records below their relation. */
export function ColumnTree({ collection, others, path }: Props) {
  const depth = path.split('.').length - 1;
  return (
    <Stack gap={8} className={path ? classes.below : undefined}>
      {listFields(collection).map((field) => (
        <Column key={field.name} field={field} target={depth < DEEPEST ? targetOf(field, others) : undefined} others={others} path={path} />
      ))}
    </Stack>
  );
}

function Column({ field, target, others, path }: { field: FieldMeta; target: CollectionMeta | undefined; others: CollectionMeta[]; path: string }) {
  const { t } = useTranslation('transfer');
  const [open, setOpen] = useState(false);
  const title = fieldTitle(field);
  const Icon = open ? IconChevronDown : IconChevronRight;
  return (
    <>
      <Group gap={4} wrap="nowrap">
        <Checkbox value={`${path}${field.name}`} label={title} />
        {target && (
          <ActionIcon variant="subtle" color="gray" size="sm" aria-expanded={open} aria-label={t('export.more', { title })} onClick={() => setOpen(!open)}>
            <Icon size={16} aria-hidden />
          </ActionIcon>
        )}
      </Group>
      {open && target && <ColumnTree collection={target} others={others} path={`${path}${field.name}.`} />}
    </>
  );
}

/** The columns that are chosen, in the order of the tree: `customer.city` is titled "Customer › City". */
export function chosenColumns(collection: CollectionMeta, others: CollectionMeta[], chosen: string[]): { dataIndex: string[]; title: string }[] {
  const columnOf = (path: string) => {
    const names = path.split('.');
    const titles: string[] = [];
    let place: CollectionMeta | undefined = collection;
    let field: FieldMeta | undefined;
    for (const name of names) {
      field = place && listFieldNamed(place, name);
      if (!field) return [];
      titles.push(fieldTitle(field));
      place = targetOf(field, others);
    }
    if (!field) return [];
    return [{ dataIndex: [...names.slice(0, -1), ...exportColumn(field).dataIndex], title: titles.join(' › ') }];
  };
  const order = listFields(collection).map((field) => field.name);
  const place = (path: string) => order.indexOf(path.split('.')[0] ?? '');
  return [...chosen].sort((one, other) => place(one) - place(other)).flatMap(columnOf);
}

const listFieldNamed = (collection: CollectionMeta, name: string) => fieldsOf(collection).find((field) => field.name === name);
