import { useTranslation } from 'react-i18next';

import { bytes, percent } from './format';
import type { EnvironmentRow } from './model';
import { UsageBar } from './UsageBar';

interface Props {
  environment: EnvironmentRow;
}

/** Processor time of an environment as it last told; a dash for one that tells nothing. */
export function Cpu({ environment }: Props) {
  const { t, i18n } = useTranslation('supervisor');
  const { cpu } = environment;
  if (typeof cpu !== 'number') return '–';
  return <UsageBar share={cpu} text={percent(cpu, i18n.language)} label={t('environments.cpu')} />;
}

/** Memory of an environment, as a part of its machine's. */
export function Memory({ environment }: Props) {
  const { t, i18n } = useTranslation('supervisor');
  const { memory, machineMemory } = environment;
  if (typeof memory !== 'number') return '–';
  const text = bytes(memory, i18n.language);
  return <UsageBar share={machineMemory ? memory / machineMemory : 0} text={text} label={t('environments.memory')} />;
}
