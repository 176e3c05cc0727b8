import { Group } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import classes from './EnvironmentChips.module.css';
import { ENVIRONMENT_TONES } from './model';
import { useEnvironments } from './queries';

/** Names of environments, each with the health of that environment. */
export function EnvironmentChips({ names }: { names: string[] }) {
  const { t } = useTranslation('supervisor');
  const environments = useEnvironments().data ?? [];
  return (
    <Group gap={4} wrap="nowrap">
      {names.map((name) => {
        const health = environments.find((environment) => environment.name === name)?.status;
        const word = health ? t(`environmentStatus.${health}`) : t('environmentStatus.unknown');
        return (
          <Link
            key={name}
            to="/admin/settings/supervisor/environments/$name/{-$tab}"
            params={{ name }}
            className={classes.chip}
            title={`${name}: ${word}`}
          >
            <span className={classes.dot} data-tone={health ? ENVIRONMENT_TONES[health] : 'idle'} aria-hidden />
            {name}
            {health !== 'online' && <span className={classes.word}>{word}</span>}
          </Link>
        );
      })}
    </Group>
  );
}
