import { Alert } from '@mantine/core';
import { IconPlugConnectedX } from '@tabler/icons-react';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';

import { useOnline } from '../../app/connection';
import { toast } from '../../ui/toasts';

/** Says that the server is out of reach, and that it is back; what was loaded stays readable. */
export function ConnectionNotice() {
  const { t } = useTranslation();
  const online = useOnline();
  const wasAway = useRef(false);
  useEffect(() => {
    if (!online) wasAway.current = true;
    else if (wasAway.current) {
      wasAway.current = false;
      toast.success(t('online'));
    }
  }, [online, t]);
  if (online) return null;
  return (
    <Alert role="alert" color="yellow" variant="light" mb="md" icon={<IconPlugConnectedX aria-hidden />}>
      {t('offline')}
    </Alert>
  );
}
