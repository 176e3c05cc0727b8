import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { EmptyState } from '../../ui/EmptyState';

export function NotFound() {
  const { t } = useTranslation();
  return (
    <EmptyState
      action={
        <Button component={Link} to="/admin">
          {t('notFound.home')}
        </Button>
      }
    >
      {t('notFound.text')}
    </EmptyState>
  );
}
