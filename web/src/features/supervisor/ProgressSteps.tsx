import { Loader, Text } from '@mantine/core';
import { IconAlertTriangleFilled, IconCircle, IconCircleCheckFilled } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { zone } from '../../app/zone';
import type { Progress, StepState } from './model';
import classes from './ProgressSteps.module.css';

const MARKS: Record<StepState, ReactNode> = {
  pending: <IconCircle size={18} aria-hidden />,
  waiting: <IconCircle size={18} aria-hidden />,
  running: <Loader size={16} aria-hidden />,
  done: <IconCircleCheckFilled size={18} aria-hidden />,
  failed: <IconAlertTriangleFilled size={18} aria-hidden />,
};

/** What has been done, is being done and comes next until the app runs. */
export function ProgressSteps({ progress }: { progress: Progress }) {
  const { t, i18n } = useTranslation('supervisor');
  const clock = new Intl.DateTimeFormat(i18n.language, { timeStyle: 'medium', timeZone: zone.get() });
  return (
    <div>
      {progress.queue && (
        <Text size="sm" mb="xs" role="status">
          {t('progress.queued', {
            position: progress.queue.position,
            since: clock.format(new Date(progress.queue.since)),
          })}
        </Text>
      )}
      <ol className={classes.list}>
        {progress.steps.map((step) => (
          <li key={step.name} className={classes.step} data-state={step.state}>
            <span className={classes.mark}>{MARKS[step.state]}</span>
            <div className={classes.text}>
              <span className={classes.name}>
                {t(`steps.${step.name}`, step.name)}
                <span className={classes.state}> {t(`stepState.${step.state}`)}</span>
              </span>
              {step.message && (
                <Text size="xs" c="dimmed">
                  {step.message}
                </Text>
              )}
            </div>
            {step.at && (
              <Text component="time" dateTime={step.at} size="xs" c="dimmed">
                {clock.format(new Date(step.at))}
              </Text>
            )}
          </li>
        ))}
      </ol>
    </div>
  );
}
