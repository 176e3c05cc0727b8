import { Checkbox, Group, Skeleton } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { LinkedContent, type BodyProps } from './BodyRows';
import classes from './DataGrid.module.css';
import { RowMenu } from './RowMenu';
import { TreeToggle } from './TreeToggle';
import { cellText, type GridColumn } from './types';

const MAX_FIELDS = 4;

/** Which column plays which part on a card. */
export function cardColumns<Row>(columns: GridColumn<Row>[]): {
  title: GridColumn<Row> | undefined;
  status: GridColumn<Row> | undefined;
  fields: GridColumn<Row>[];
} {
  const title = columns.find((column) => column.card === 'title') ?? columns.find((column) => column.card === undefined);
  const status = columns.find((column) => column.card === 'status');
  const fields = columns
    .filter((column) => column !== title && column !== status && column.card !== 'none')
    .slice(0, MAX_FIELDS);
  return { title, status, fields };
}

type Props<Row> = Omit<BodyProps<Row>, 'rendered' | 'height' | 'columns' | 'active' | 'layout' | 'editing'> & {
  label: string;
  columns: GridColumn<Row>[];
};

/** The list on a phone: one card per row. */
export function Cards<Row>(props: Props<Row>) {
  const { rows, rowId, rowName, selection, actions, label } = props;
  const { t } = useTranslation('grid');
  const { title, status, fields } = cardColumns(props.columns);
  return (
    <ul className={classes.cards} aria-label={label}>
      {rows.map((row, index) => (
        <li key={rowId(row)} className={`${classes.card} ${props.gone.has(rowId(row)) ? classes.gone : ''}`} data-selected={selection?.isSelected(rowId(row)) || undefined}>
          <Group gap="xs" wrap="nowrap" align="center">
            {selection && (
              <Checkbox
                aria-label={t('selectRow', { name: rowName(row) })}
                checked={selection.isSelected(rowId(row))}
                onChange={() => selection.toggle(index, false)}
              />
            )}
            <CardToggle {...props} row={row} />
            <span className={classes.cardTitle}>
              {title ? <LinkedContent {...props} row={row} own={title} tabIndex={0} /> : rowName(row)}
            </span>
            {status?.cell?.(row)}
            <RowMenu row={row} name={rowName(row)} actions={actions(row)} inGrid={false} />
          </Group>
          {fields.length > 0 && (
            <dl style={{ margin: 0 }}>
              {fields.map((column) => (
                <div key={column.id} className={classes.cardField}>
                  <dt>{column.title}</dt>
                  <dd>{column.cell ? column.cell(row) : cellText(column, row)}</dd>
                </div>
              ))}
            </dl>
          )}
        </li>
      ))}
    </ul>
  );
}

function CardToggle<Row>({ tree, row, rowId, rowName }: Props<Row> & { row: Row }) {
  const id = rowId(row);
  const inTree = tree?.of(id);
  return inTree ? <TreeToggle row={inTree} name={rowName(row)} onToggle={() => tree?.toggle(id)} tabIndex={0} /> : null;
}

export function SkeletonCards() {
  return (
    <div className={classes.cards} aria-hidden="true">
      {Array.from({ length: 4 }, (_, index) => (
        <div key={index} className={classes.card}>
          <Skeleton height={18} width="60%" />
          <Skeleton height={12} width="80%" />
          <Skeleton height={12} width="70%" />
        </div>
      ))}
    </div>
  );
}
