import { Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconCircleCheck, IconInfoCircle } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';

import classes from './AppFormSections.module.css';
import { checkDomain } from './queries';

const TYPING_MS = 700;
const HOST = /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]+\.?$/i;

/** Where a custom domain leads, as the server's resolver says: here, elsewhere or nowhere. */
export function DomainCheck({ domain }: { domain: string }) {
  const { t } = useTranslation('supervisor');
  const [wanted] = useDebouncedValue(domain.trim(), TYPING_MS);
  const { data } = useQuery({
    queryKey: ['domain', wanted],
    queryFn: ({ signal }) => checkDomain(wanted, signal),
    enabled: HOST.test(wanted),
    retry: false,
    gcTime: 0,
  });
  if (!data || wanted !== domain.trim()) return null;
  const addresses = data.addresses.join(', ');
  const good = data.pointsHere === true;
  const sentence = () => {
    if (data.addresses.length === 0) return t('domain.nowhere', { message: data.message });
    if (good) return t('domain.here', { addresses });
    return t('domain.elsewhere', { addresses, entry: data.entry, own: data.entryAddresses.join(', ') || '–' });
  };
  const Icon = good ? IconCircleCheck : IconInfoCircle;
  return (
    <Text size="sm" role="status" className={good ? classes.good : classes.note}>
      <Icon size={16} aria-hidden className={classes.sign} /> {sentence()}
    </Text>
  );
}
