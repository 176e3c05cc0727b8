import { useTranslation } from 'react-i18next';

import { StatusChip } from '../../ui/StatusChip';
import { APP_TONES, type AppStatus } from './model';

interface Props {
  status: AppStatus;
  /** How many environments are in this state; shown before the word. */
  count?: number;
  /** Shown behind the word. */
  note?: string | undefined;
}

export function AppStatusChip({ status, count, note }: Props) {
  const { t, i18n } = useTranslation('supervisor');
  const number = count === undefined ? '' : `${new Intl.NumberFormat(i18n.language).format(count)} `;
  return (
    <StatusChip tone={APP_TONES[status] ?? 'warn'}>
      {number}
      {t(`status.${status}`, status)}
      {note ? ` ${note}` : ''}
    </StatusChip>
  );
}
