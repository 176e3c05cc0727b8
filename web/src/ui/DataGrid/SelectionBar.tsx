import { ActionBar, Button, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { WriteButton } from '../WriteButton';
import type { GridBulkAction } from './types';
import type { Selection } from './useSelection';

interface Props<Row> {
  selection: Selection<Row>;
  actions: GridBulkAction<Row>[];
  /** All rows that match, when there are more than chosen. */
  total: number | undefined;
}

/** Floats at the bottom as soon as a row is selected. */
export function SelectionBar<Row>({ selection, actions, total }: Props<Row>) {
  const { t, i18n } = useTranslation('grid');
  const { value } = selection;
  const format = new Intl.NumberFormat(i18n.language);
  const more = selection.pageState === 'all' && !value.allMatching && total !== undefined && total > value.count;
  return (
    <ActionBar opened={value.count > 0} onClose={selection.clear} aria-label={t('selectionActions')} maw="calc(100vw - 24px)" style={{ flexWrap: 'wrap' }}>
      <Text size="sm" fw={600}>
        {t('selected', { count: value.count })}
      </Text>
      {more && (
        <Button size="compact-sm" variant="subtle" onClick={selection.selectAllMatching}>
          {t('selectAllMatching', { total: format.format(total) })}
        </Button>
      )}
      <ActionBar.Divider />
      {actions.map((action) => (
        <WriteButton
          key={action.id}
          size="compact-sm"
          variant="default"
          c={action.danger ? 'var(--mantine-color-error)' : undefined}
          leftSection={action.icon}
          onClick={() => {
            void action.onAction(value);
            selection.clear();
          }}
        >
          {action.label}
        </WriteButton>
      ))}
      <ActionBar.CloseButton aria-label={t('clearSelection')} />
    </ActionBar>
  );
}
