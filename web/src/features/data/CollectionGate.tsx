import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { EmptyState } from '../../ui/EmptyState';
import { ErrorState } from '../../ui/ErrorState';
import type { CollectionMeta } from './model';
import { useCollection } from './queries';

interface Props {
  name: string;
  waiting: ReactNode;
  children: (collection: CollectionMeta) => ReactNode;
}

/** Shows its content once the collection is known; says so when there is none. */
export function CollectionGate({ name, waiting, children }: Props) {
  const { t } = useTranslation(['data', 'fields', 'ui']);
  const { collection, error, refetch } = useCollection(name);
  if (collection) return children(collection);
  if (error) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (collection === undefined) return waiting;
  return (
    <EmptyState
      action={
        <Button component={Link} to="/admin/settings/data/main/collections" variant="default">
          {t('collections.title')}
        </Button>
      }
    >
      {t('collections.missing', { name })}
    </EmptyState>
  );
}
