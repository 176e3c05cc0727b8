import { Button } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { EmptyState } from '../EmptyState';
import type { GridEmpty } from './types';

/** No rows at all: one sentence and the one sensible next step. */
export function EmptyFirstUse({ empty }: { empty: GridEmpty | undefined }) {
  const { t } = useTranslation('grid');
  return <EmptyState action={empty?.action}>{empty?.text ?? t('empty')}</EmptyState>;
}

/** The list has fewer pages than the address asks for: after deleting, or from an old link. */
export function EmptyPage({ onFirst }: { onFirst: () => void }) {
  const { t } = useTranslation('grid');
  return (
    <EmptyState
      action={
        <Button variant="default" onClick={onFirst}>
          {t('first')}
        </Button>
      }
    >
      {t('noPage')}
    </EmptyState>
  );
}

/** Rows exist, but none fits the search or the filter. */
export function EmptyFiltered({ onClear }: { onClear: () => void }) {
  const { t } = useTranslation('grid');
  return (
    <EmptyState
      action={
        <Button variant="default" onClick={onClear}>
          {t('clearAll')}
        </Button>
      }
    >
      {t('noMatch')}
    </EmptyState>
  );
}
