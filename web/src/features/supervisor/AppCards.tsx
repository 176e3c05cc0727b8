import { Anchor, Button, Group, Skeleton, Text } from '@mantine/core';
import { IconPin } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import type { GridAction } from '../../ui/DataGrid';
import { EmptyState } from '../../ui/EmptyState';
import classes from './AppCards.module.css';
import { AppIcon } from './AppIcon';
import { AppMenu } from './AppMenu';
import { EnvironmentChips } from './EnvironmentChips';
import { actionsFor, addressOf, type AppRow, titleOf } from './model';
import { StartStop } from './StartStop';
import { StatusCell } from './StatusCell';

interface Props {
  /** Undefined while loading. */
  apps: AppRow[] | undefined;
  label: string;
  empty: { text: string; action?: React.ReactNode };
  actions: (app: AppRow) => GridAction<AppRow>[];
  onEdit: (app: AppRow) => void;
  onDelete: (app: AppRow) => void;
}

/** The list as cards: to recognise apps by their look, and to reach them with one click. */
export function AppCards({ apps, label, empty, ...actions }: Props) {
  if (!apps) {
    return (
      <div className={classes.grid} aria-hidden>
        {Array.from({ length: 6 }, (_, index) => (
          <Skeleton key={index} height={168} radius="md" />
        ))}
      </div>
    );
  }
  if (apps.length === 0) return <EmptyState action={empty.action}>{empty.text}</EmptyState>;
  return (
    <ul className={classes.grid} aria-label={label}>
      {apps.map((app) => (
        <li key={app.name}>
          <Card app={app} {...actions} />
        </li>
      ))}
    </ul>
  );
}

type CardProps = { app: AppRow } & Pick<Props, 'actions' | 'onEdit' | 'onDelete'>;

function Card({ app, ...actions }: CardProps) {
  const { t } = useTranslation('supervisor');
  const name = titleOf(app);
  return (
    <article className={classes.card} aria-label={name}>
      <Group gap="sm" wrap="nowrap" align="flex-start">
        <AppIcon app={app} size={44} />
        <div className={classes.titles}>
          <Anchor
            component={Link}
            to="/admin/settings/supervisor/apps/$name/{-$tab}"
            params={{ name: app.name } as never}
            className={classes.title}
          >
            {name}
          </Anchor>
          <Text size="xs" c="dimmed" truncate>
            {app.cname ?? `/apps/${app.name}`}
          </Text>
        </div>
        {app.pinned && <IconPin size={16} role="img" aria-label={t('apps.pinned')} />}
        <AppMenu app={app} {...actions} />
      </Group>
      <Text size="sm" c="dimmed" lineClamp={2} className={classes.description}>
        {app.options?.description}
      </Text>
      <Group gap="xs" className={classes.state}>
        <StatusCell app={app} />
        <EnvironmentChips names={app.environments ?? []} />
      </Group>
      <Group gap="xs" className={classes.foot}>
        {actionsFor(app.status).open && (
          <Button component="a" size="compact-sm" href={addressOf(app)} aria-label={t('apps.openApp', { name })}>
            {t('apps.open')}
          </Button>
        )}
        <StartStop app={app} />
      </Group>
    </article>
  );
}
