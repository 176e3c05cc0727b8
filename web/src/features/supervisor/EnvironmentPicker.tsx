import { Alert, Checkbox, Group, Input, Radio, Skeleton, Stack, Switch, Text } from '@mantine/core';
import { type ReactNode, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { ErrorState } from '../../ui/ErrorState';
import { StatusChip } from '../../ui/StatusChip';
import classes from './EnvironmentPicker.module.css';
import { bytes } from './format';
import { ENVIRONMENT_TONES, type EnvironmentRow } from './model';
import { useEnvironments } from './queries';

interface Props {
  value: string[];
  onChange: (value: string[]) => void;
  error?: ReactNode;
}

/** The healthy environment with the fewest apps. */
export function leastLoaded(environments: EnvironmentRow[]): EnvironmentRow | undefined {
  return environments
    .filter((environment) => environment.status === 'online')
    .sort((left, right) => (left.apps?.total ?? 0) - (right.apps?.total ?? 0))[0];
}

/** Cards to choose where the app runs: one environment, or several on purpose. */
export function EnvironmentPicker({ value, onChange, error }: Props) {
  const { t } = useTranslation('supervisor');
  const { data, error: failure, refetch } = useEnvironments();
  const [several, setSeveral] = useState(value.length > 1);
  const nothingChosen = value.length === 0;
  useEffect(() => {
    const best = data && leastLoaded(data);
    if (nothingChosen && best) onChange([best.name]);
    // Chooses once, when the list arrives; later changes of the load must not move the choice.
  }, [data === undefined]);

  if (failure) return <ErrorState error={failure} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton height={72} />;
  const cards = data.map((environment) => (
    <EnvironmentCard
      key={environment.name}
      environment={environment}
      several={several}
      chosen={value.includes(environment.name)}
    />
  ));
  return (
    <Stack gap="xs">
      {several ? (
        <Checkbox.Group label={t('form.environments')} withAsterisk value={value} onChange={onChange}>
          <div className={classes.grid}>{cards}</div>
        </Checkbox.Group>
      ) : (
        <Radio.Group
          label={t('form.environment')}
          withAsterisk
          value={value[0] ?? ''}
          onChange={(name) => onChange([name])}
        >
          <div className={classes.grid}>{cards}</div>
        </Radio.Group>
      )}
      {error && <Input.Error role="alert">{error}</Input.Error>}
      {data.length > 1 && (
        <Switch
          size="sm"
          label={t('form.several')}
          checked={several}
          onChange={(event) => {
            setSeveral(event.currentTarget.checked);
            if (!event.currentTarget.checked) onChange(value.slice(0, 1));
          }}
        />
      )}
      {several && <Alert color="yellow">{t('form.severalWarning')}</Alert>}
    </Stack>
  );
}

interface CardProps {
  environment: EnvironmentRow;
  several: boolean;
  chosen: boolean;
}

function EnvironmentCard({ environment, several, chosen }: CardProps) {
  const { t, i18n } = useTranslation('supervisor');
  // One that is offline cannot be chosen anew, but it can be given up.
  const usable = chosen || environment.status === 'online' || environment.status === 'late';
  const Control = several ? Checkbox : Radio;
  const facts = [
    environment.appVersion,
    environment.apps && t('form.appsThere', { count: environment.apps.total }),
    environment.memory ? t('form.memoryThere', { size: bytes(environment.memory, i18n.language) }) : null,
  ].filter(Boolean);
  return (
    <label className={classes.card} data-disabled={!usable || undefined}>
      <Control
        value={environment.name}
        disabled={!usable}
        aria-label={`${environment.name}, ${t(`environmentStatus.${environment.status}`)}`}
      />
      <div className={classes.text}>
        <Group gap="xs">
          <Text size="sm" fw={600}>
            {environment.name}
          </Text>
          <StatusChip tone={ENVIRONMENT_TONES[environment.status]}>
            {t(`environmentStatus.${environment.status}`)}
          </StatusChip>
        </Group>
        <Text size="xs" c="dimmed">
          {facts.join(' · ')}
        </Text>
      </div>
    </label>
  );
}
