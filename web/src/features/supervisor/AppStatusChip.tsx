import { useTranslation } from 'react-i18next';

import { StatusChip } from '../../ui/StatusChip';
import { APP_TONES, type AppStatus } from './model';

export function AppStatusChip({ status, note }: { status: AppStatus; note?: string | undefined }) {
  const { t } = useTranslation('supervisor');
  return (
    <StatusChip tone={APP_TONES[status] ?? 'warn'}>
      {t(`status.${status}`, status)}
      {note ? ` ${note}` : ''}
    </StatusChip>
  );
}
