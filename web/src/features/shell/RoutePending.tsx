import { Center, Loader } from '@mantine/core';
import { useTranslation } from 'react-i18next';

export function RoutePending() {
  const { t } = useTranslation();
  return (
    <Center mih="40vh">
      <Loader type="dots" role="status" aria-label={t('loading')} />
    </Center>
  );
}
