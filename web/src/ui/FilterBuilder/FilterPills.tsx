import { Button, CloseButton, Group as Row } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { describe } from './describe';
import classes from './FilterBuilder.module.css';
import { formatFilter, isComplete, leaves, parseFilter, removeAt, type Filter } from './grammar';
import type { FilterField } from './types';

interface Props {
  fields: FilterField[];
  filter: Filter | null;
  onChange: (filter: Filter | null) => void;
  onEdit: (path: string) => void;
}

/** Active conditions: click to edit, × to remove. */
export function FilterPills({ fields, filter, onChange, onEdit }: Props) {
  const { t, i18n } = useTranslation('filter');
  const tree = parseFilter(filter);
  const active = leaves(tree).filter(({ node }) => node.kind === 'raw' || isComplete(node));
  if (active.length === 0) return null;
  return (
    <Row gap="xs" role="group" aria-label={t('active')}>
      {active.map(({ node, way }) => {
        const text = describe(node, fields, t, i18n.language);
        return (
          <span key={way.join('.')} className={classes.pill}>
            <button type="button" className={classes.pillText} title={t('editCondition')} onClick={() => onEdit(node.kind === 'condition' ? node.path : '')}>
              {text}
            </button>
            <CloseButton size={28} iconSize={14} radius="xl" aria-label={t('removeCondition', { title: text })} onClick={() => onChange(formatFilter(removeAt(tree, way)))} />
          </span>
        );
      })}
      <Button size="compact-sm" variant="subtle" onClick={() => onChange(null)}>
        {t('clearAll')}
      </Button>
    </Row>
  );
}
