import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { countRecords } from './queries';

/** How many records a collection has; asked for each row on its own so that the list does not wait. */
export function RecordCount({ collection }: { collection: string }) {
  const { i18n } = useTranslation();
  const { data } = useQuery({
    queryKey: ['count', collection],
    queryFn: () => countRecords(collection),
    staleTime: 30_000,
    retry: false,
  });
  return data === undefined || data === null ? '–' : new Intl.NumberFormat(i18n.language).format(data);
}
