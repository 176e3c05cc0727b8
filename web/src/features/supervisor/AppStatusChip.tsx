import { useTranslation } from 'react-i18next';

import { StatusChip } from '../../ui/StatusChip';
import { APP_TONES, type AppStatus } from './model';

interface Props {
  status: AppStatus;
  /** Shown behind the word. */
  note?: string | undefined;
  /** A state of the past: nothing moves. */
  past?: boolean;
}

export function AppStatusChip({ status, note, past = false }: Props) {
  const { t } = useTranslation('supervisor');
  const tone = APP_TONES[status] ?? 'warn';
  return (
    <StatusChip tone={past && tone === 'busy' ? 'ready' : tone}>
      {t(`status.${status}`, status)}
      {note ? ` ${note}` : ''}
    </StatusChip>
  );
}
