import { ActionIcon } from '@mantine/core';
import { IconChevronRight } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import classes from './DataGrid.module.css';
import type { TreeRow } from './tree';

interface Props {
  row: TreeRow;
  name: string;
  onToggle: () => void;
  tabIndex: number;
}

/** The indent of a row in a tree, and the button that folds its children away. */
export function TreeToggle({ row, name, onToggle, tabIndex }: Props) {
  const { t } = useTranslation('grid');
  return (
    <span className={classes.treeToggle} style={{ paddingInlineStart: row.level * 20 }}>
      {row.isParent && (
        <ActionIcon
          size={24}
          variant="subtle"
          color="gray"
          tabIndex={tabIndex}
          aria-label={t(row.isUnfolded ? 'tree.fold' : 'tree.unfold', { name })}
          aria-expanded={row.isUnfolded}
          onClick={onToggle}
        >
          <IconChevronRight size={16} className={classes.chevron} data-open={row.isUnfolded || undefined} />
        </ActionIcon>
      )}
    </span>
  );
}
