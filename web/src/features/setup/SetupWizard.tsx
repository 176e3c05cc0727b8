import { Button, Group, Modal, Stepper, Text, Title, VisuallyHidden } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { type Account, saveSystemSettings } from '../../app/account';
import { toast } from '../../ui/toasts';
import { AccountStep } from './AccountStep';
import { PlatformStep } from './PlatformStep';
import classes from './SetupWizard.module.css';
import { StartStep } from './StartStep';
import { tour } from './tour';

const STEPS = ['account', 'platform', 'start'] as const;

/** The first steps on a fresh server. Every step can be left out, and so can all of them; it is shown once. */
export default function SetupWizard({ account }: { account: Account }) {
  const { t } = useTranslation('setup');
  const [at, setAt] = useState(0);
  const [ending, setEnding] = useState(false);
  const phone = useMediaQuery('(max-width: 47.99em)', undefined, { getInitialValueInEffect: false });
  const next = () => setAt((step) => step + 1);

  const end = async (withTour: boolean) => {
    setEnding(true);
    try {
      // The settings say that it is done, and with them the wizard leaves the screen.
      await saveSystemSettings({ options: { setup: 'done' } });
      if (withTour) tour.set(true);
    } catch (error) {
      toast.error(error);
      setEnding(false);
    }
  };

  return (
    <Modal
      opened
      onClose={() => undefined}
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      size={820}
      fullScreen={phone}
      padding={phone ? 'md' : 'xl'}
      title={t('title')}
      classNames={{ title: classes.title }}
    >
      <Group justify="space-between" align="flex-start" wrap="nowrap" mb="lg">
        <Text size="sm" c="dimmed">
          {t('lead')}
        </Text>
        <Button variant="subtle" color="gray" size="xs" className={classes.skip} loading={ending} onClick={() => void end(false)}>
          {t('skipAll')}
        </Button>
      </Group>
      <Stepper
        active={at}
        size="sm"
        allowNextStepsSelect={false}
        wrap={false}
        onStepClick={setAt}
        mb="lg"
        classNames={{ content: classes.content }}
      >
        {STEPS.map((step) => (
          <Stepper.Step
            key={step}
            label={phone ? <VisuallyHidden>{t(`steps.${step}`)}</VisuallyHidden> : t(`steps.${step}`)}
          />
        ))}
      </Stepper>
      {at === 0 && <AccountStep account={account} onDone={next} />}
      {at === 1 && <PlatformStep onDone={next} />}
      {at === 2 && <StartStep onDone={next} />}
      {at === 3 && (
        <div className={classes.end}>
          <Title order={3} size="h4" mb={4}>
            {t('end.title')}
          </Title>
          <Text c="dimmed" size="sm" mb="lg">
            {t('end.text')}
          </Text>
          <Group justify="center" gap="xs">
            <Button variant="default" disabled={ending} onClick={() => void end(false)}>
              {t('end.close')}
            </Button>
            <Button data-autofocus loading={ending} onClick={() => void end(true)}>
              {t('end.tour')}
            </Button>
          </Group>
        </div>
      )}
    </Modal>
  );
}
