import { Tour } from '@mantine/core';
import { useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';

import { tour } from './tour';

const STEPS = ['switcher', 'navigation', 'search', 'content', 'account'] as const;

/** Five things to know about the screen; each points at its place. */
export default function ScreenTour() {
  const { t } = useTranslation('setup');
  const active = useSyncExternalStore(tour.subscribe, tour.get);
  return (
    <Tour
      active={active}
      onClose={() => tour.set(false)}
      zIndex={400}
      labels={{
        skip: t('tour.skip'),
        back: t('tour.back'),
        next: t('tour.next'),
        close: t('tour.close'),
        stepCounter: (current, total) => t('tour.counter', { current, total }),
      }}
    >
      {STEPS.map((step) => (
        <Tour.Step key={step} target={`[data-tour="${step}"]`} title={t(`tour.${step}.title`)}>
          {t(`tour.${step}.text`)}
        </Tour.Step>
      ))}
    </Tour>
  );
}
