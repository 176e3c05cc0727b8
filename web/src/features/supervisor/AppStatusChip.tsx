import { useTranslation } from 'react-i18next';

import { StatusChip } from '../../ui/StatusChip';
import { APP_TONES, type AppStatus } from './model';

interface Props {
  status: AppStatus;
  /** Shown behind the word. */
  note?: string | undefined;
}

export function AppStatusChip({ status, note }: Props) {
  const { t } = useTranslation('supervisor');
  return (
    <StatusChip tone={APP_TONES[status] ?? 'warn'}>
      {t(`status.${status}`, status)}
      {note ? ` ${note}` : ''}
    </StatusChip>
  );
}
