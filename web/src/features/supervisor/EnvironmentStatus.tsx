import { Tooltip } from '@mantine/core';
import { useTranslation } from 'react-i18next';

import { StatusChip } from '../../ui/StatusChip';
import { dateTime } from '../../ui/time';
import { ENVIRONMENT_TONES, type EnvironmentRow } from './model';

export function EnvironmentStatus({ environment }: { environment: EnvironmentRow }) {
  const { t, i18n } = useTranslation('supervisor');
  const chip = (
    <StatusChip tone={ENVIRONMENT_TONES[environment.status]}>{t(`environmentStatus.${environment.status}`)}</StatusChip>
  );
  if (!environment.lastHeartbeatAt) return chip;
  return (
    <Tooltip label={t('environments.lastBeat', { time: dateTime(environment.lastHeartbeatAt, i18n.language) })}>
      <span tabIndex={0}>{chip}</span>
    </Tooltip>
  );
}
