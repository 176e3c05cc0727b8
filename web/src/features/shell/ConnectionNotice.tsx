import { Alert } from '@mantine/core';
import { useNetwork } from '@mantine/hooks';
import { IconPlugConnectedX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

/** Says that the connection is gone; what was loaded stays readable. */
export function ConnectionNotice() {
  const { t } = useTranslation();
  const { online } = useNetwork();
  if (online) return null;
  return (
    <Alert role="alert" color="yellow" variant="light" mb="md" icon={<IconPlugConnectedX aria-hidden />}>
      {t('offline')}
    </Alert>
  );
}
