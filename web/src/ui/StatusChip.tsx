import { Loader } from '@mantine/core';
import {
  IconAlertTriangleFilled, IconCircle, IconCircleDashed, IconCircleFilled, IconHelpCircle, IconSquareFilled,
} from '@tabler/icons-react';
import type { ReactNode } from 'react';

import classes from './StatusChip.module.css';

export type Tone = 'good' | 'busy' | 'ready' | 'idle' | 'bad' | 'warn' | 'lost';

const ICONS: Record<Tone, ReactNode> = {
  good: <IconCircleFilled size={10} aria-hidden />,
  busy: <Loader size={11} color="currentColor" aria-hidden />,
  ready: <IconCircle size={11} stroke={3} aria-hidden />,
  idle: <IconSquareFilled size={10} aria-hidden />,
  bad: <IconAlertTriangleFilled size={12} aria-hidden />,
  warn: <IconHelpCircle size={13} aria-hidden />,
  lost: <IconCircleDashed size={12} stroke={2.500} aria-hidden />,
};

interface Props {
  tone: Tone;
  /** The word that says it; colour and icon only help. */
  children: ReactNode;
}

export function StatusChip({ tone, children }: Props) {
  return (
    <span className={classes.chip} data-tone={tone}>
      {ICONS[tone]}
      <span>{children}</span>
    </span>
  );
}
