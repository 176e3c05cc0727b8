import { ActionIcon, Kbd, Tooltip, UnstyledButton, useMantineColorScheme } from '@mantine/core';
import { Spotlight, type SpotlightActionGroupData, spotlight } from '@mantine/spotlight';
import { IconKeyboard, IconLogout, IconMoon, IconPlayerPlay, IconPlus, IconSearch, IconSun } from '@tabler/icons-react';
import { useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { type Account, mayConfigure } from '../../app/account';
import { isMainApp } from '../../app/boot';
import { AppIcon } from '../supervisor/AppIcon';
import { actionsFor, addressOf, titleOf } from '../supervisor/model';
import { useAppCommand, useShownApps } from '../supervisor/queries';
import { useSignOut } from './AvatarMenu';
import type { Place } from './navigation';
import classes from './Palette.module.css';

const ICON = { size: 20, stroke: 1.700, 'aria-hidden': true } as const;

export function SearchButton({ compact }: { compact: boolean }) {
  const { t } = useTranslation();
  if (compact) {
    return (
      <Tooltip label={t('palette.open')}>
        <ActionIcon variant="subtle" color="gray" size={44} aria-label={t('palette.open')} onClick={spotlight.open}>
          <IconSearch size={20} aria-hidden />
        </ActionIcon>
      </Tooltip>
    );
  }
  return (
    <UnstyledButton className={classes.field} onClick={spotlight.open}>
      <IconSearch size={16} aria-hidden />
      <span className={classes.words}>{t('palette.open')}</span>
      <Kbd size="xs" aria-hidden>
        Ctrl K
      </Kbd>
    </UnstyledButton>
  );
}

interface Props {
  account: Account | undefined;
  places: Place[];
  onHelp: () => void;
}

/** Every screen, app and action by name. */
export function Palette({ account, places, onHelp }: Props) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  const groups = useGroups(account, places, onHelp, opened);
  return (
    <Spotlight
      actions={groups}
      onSpotlightOpen={() => setOpened(true)}
      onSpotlightClose={() => setOpened(false)}
      shortcut={['mod + K']}
      nothingFound={t('palette.nothing')}
      highlightQuery
      transitionProps={{ duration: 0 }}
      overlayProps={{ blur: 0 }}
      scrollable
      maxHeight={420}
      limit={7 * 3}
      searchProps={{
        leftSection: <IconSearch size={18} aria-hidden />,
        placeholder: t('palette.open'),
        'aria-label': t('palette.open'),
      }}
    />
  );
}

function useGroups(account: Account | undefined, places: Place[], onHelp: () => void, opened: boolean): SpotlightActionGroupData[] {
  const { t } = useTranslation();
  const router = useRouter();
  const { setColorScheme } = useMantineColorScheme();
  const leave = useSignOut();
  const { mutate } = useAppCommand();
  const apps = useShownApps(opened).apps ?? [];
  const manages = isMainApp && mayConfigure(account);
  const startable = manages ? apps.filter((app) => app.status && actionsFor(app.status).start) : [];
  return [
    {
      group: t('palette.pages'),
      actions: places.map(({ key, to, icon: Icon }) => ({
        id: `page-${key}`,
        label: t(`nav.${key}`),
        leftSection: <Icon {...ICON} />,
        onClick: () => void router.navigate({ to }),
      })),
    },
    {
      group: t('palette.apps'),
      actions: apps.map((app) => ({
        id: `app-${app.name}`,
        label: titleOf(app),
        description: addressOf(app),
        leftSection: <AppIcon app={app} size={24} />,
        onClick: () => window.location.assign(addressOf(app)),
      })),
    },
    {
      group: t('palette.actions'),
      actions: [
        ...(manages
          ? [
              {
                id: 'create-app',
                label: t('palette.createApp'),
                leftSection: <IconPlus {...ICON} />,
                onClick: () => void router.navigate({ to: '/admin/settings/supervisor/apps', search: { create: true } }),
              },
            ]
          : []),
        ...startable.map((app) => ({
          id: `start-${app.name}`,
          label: t('palette.startApp', { title: titleOf(app) }),
          leftSection: <IconPlayerPlay {...ICON} />,
          onClick: () => mutate({ name: app.name, command: 'start' }),
        })),
        { id: 'light', label: t('palette.light'), leftSection: <IconSun {...ICON} />, onClick: () => setColorScheme('light') },
        { id: 'dark', label: t('palette.dark'), leftSection: <IconMoon {...ICON} />, onClick: () => setColorScheme('dark') },
        { id: 'help', label: t('help.title'), leftSection: <IconKeyboard {...ICON} />, onClick: onHelp },
        { id: 'leave', label: t('account.signOut'), leftSection: <IconLogout {...ICON} />, onClick: () => void leave() },
      ],
    },
  ];
}
