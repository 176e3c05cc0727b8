import { ActionIcon, Kbd, Tooltip, UnstyledButton, useMantineColorScheme } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { Spotlight, type SpotlightActionGroupData, spotlight } from '@mantine/spotlight';
import {
  IconFileText, IconHistory, IconKeyboard, IconLink, IconLogout, IconMoon, IconPlayerPlay, IconPlus, IconSearch, IconSettings,
  IconSun, IconTable,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { type Account, mayConfigure } from '../../app/account';
import { isMainApp } from '../../app/boot';
import { toast } from '../../ui/toasts';
import { AppIcon } from '../supervisor/AppIcon';
import { actionsFor, addressOf, type ShownApp, titleOf } from '../supervisor/model';
import { useAppCommand, useShownApps } from '../supervisor/queries';
import { useSignOut } from './AvatarMenu';
import type { Place } from './navigation';
import classes from './Palette.module.css';
import { filterPalette, splitQuery } from './paletteFilter';
import { rememberRecent, useRecent } from './recent';

const ICON = { size: 20, stroke: 1.700, 'aria-hidden': true } as const;
const TYPING_MS = 250;
const SHORTEST_WORD = 2;

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
  onPreferences: () => void;
}

/** Every screen, record, app and action by name. */
export function Palette(props: Props) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  const [query, setQuery] = useState('');
  const groups = useGroups(props, opened, query);
  return (
    <Spotlight
      actions={groups}
      query={query}
      onQueryChange={setQuery}
      filter={filterPalette}
      onSpotlightOpen={() => setOpened(true)}
      onSpotlightClose={() => setOpened(false)}
      shortcut={['mod + K']}
      attributes={{ content: { 'aria-label': t('palette.open') } }}
      nothingFound={t('palette.nothing')}
      transitionProps={{ duration: 0 }}
      overlayProps={{ blur: 0 }}
      scrollable
      maxHeight={420}
      searchProps={{
        leftSection: <IconSearch size={18} aria-hidden />,
        placeholder: t('palette.hint'),
        'aria-label': t('palette.open'),
      }}
    />
  );
}

function useGroups(props: Props, opened: boolean, query: string): SpotlightActionGroupData[] {
  const { t } = useTranslation();
  const router = useRouter();
  const go = (path: string, label: string) => {
    rememberRecent({ label, path });
    void router.navigate({ href: path });
  };
  const recent = useRecent();
  const apps = useShownApps(opened).apps ?? [];
  const collections = useCollections(opened && mayConfigure(props.account));
  const actions = useActions(props, apps, collections);
  const records = useRecords(opened && mayConfigure(props.account), query);
  const toPlace = ({ key, to, icon: Icon }: Place) => ({
    id: `page-${key}`,
    label: t(`nav.${key}`),
    leftSection: <Icon {...ICON} />,
    onClick: () => go(to, t(`nav.${key}`)),
  });
  return [
    {
      group: t('palette.recent'),
      actions: recent.map(({ label, path }) => ({
        id: `recent-${path}`,
        label,
        leftSection: <IconHistory {...ICON} />,
        onClick: () => go(path, label),
      })),
    },
    {
      group: t('palette.pages'),
      actions: [
        ...props.places.filter((place) => !isSetting(place)).map(toPlace),
        ...collections.map(({ name, title }) => ({
          id: `page-r-${name}`,
          label: title,
          leftSection: <IconTable {...ICON} />,
          onClick: () => go(`/admin/r/${name}`, title),
        })),
      ],
    },
    {
      group: t('palette.records'),
      actions: records.map((record) => ({
        id: `record-${record.collection}-${record.key}`,
        label: record.title,
        description: record.collectionTitle,
        leftSection: <IconFileText {...ICON} />,
        onClick: () => go(`/admin/r/${record.collection}/${encodeURIComponent(record.key)}`, record.title),
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
    { group: t('palette.settings'), actions: props.places.filter(isSetting).map(toPlace) },
    { group: t('palette.actions'), actions },
  ];
}

function isSetting({ to }: Place): boolean {
  return to.startsWith('/admin/settings/');
}

interface KnownCollection {
  name: string;
  title: string;
  isWritable: boolean;
}

const NO_COLLECTIONS: KnownCollection[] = [];

function useCollections(wanted: boolean): KnownCollection[] {
  const { data } = useQuery({
    queryKey: ['palette', 'collections'],
    enabled: wanted,
    queryFn: async () => (await import('../data/searchRecords')).knownCollections(),
  });
  return data ?? NO_COLLECTIONS;
}

/** Records whose title contains the words; found by the server, a moment after the last key. */
function useRecords(wanted: boolean, query: string) {
  const [typed] = useDebouncedValue(query, TYPING_MS);
  const { only, words } = splitQuery(typed);
  const { data } = useQuery({
    queryKey: ['palette', 'records', words],
    enabled: wanted && only === null && words.length >= SHORTEST_WORD,
    // The code that knows collections comes when somebody searches.
    queryFn: async ({ signal }) => (await import('../data/searchRecords')).searchRecords(words, signal),
  });
  return splitQuery(query).words.length >= SHORTEST_WORD ? (data ?? []) : [];
}

function useActions({ account, onHelp, onPreferences }: Props, apps: ShownApp[], collections: KnownCollection[]) {
  const { t } = useTranslation();
  const router = useRouter();
  const { setColorScheme } = useMantineColorScheme();
  const leave = useSignOut();
  const { mutate } = useAppCommand();
  const manages = isMainApp && mayConfigure(account);
  const copyLink = async () => {
    await navigator.clipboard.writeText(window.location.href);
    toast.success(t('palette.linkCopied'));
  };
  const create = () => {
    const path = isMainApp ? '/admin/settings/supervisor/apps' : '/admin/settings/data/main/collections';
    void router.navigate({ href: `${path}?create=true` });
  };
  return [
    ...(mayConfigure(account)
      ? [{ id: 'action-create', label: t(isMainApp ? 'palette.createApp' : 'palette.createCollection'), leftSection: <IconPlus {...ICON} />, onClick: create }]
      : []),
    ...collections
      .filter(({ isWritable }) => isWritable)
      .map(({ name, title }) => ({
        id: `action-new-${name}`,
        label: t('palette.newRecord', { title }),
        leftSection: <IconPlus {...ICON} />,
        onClick: () => void router.navigate({ href: `/admin/r/${name}?record=new` }),
      })),
    ...apps
      .filter((app) => manages && app.status && actionsFor(app.status).start)
      .map((app) => ({
        id: `action-start-${app.name}`,
        label: t('palette.startApp', { title: titleOf(app) }),
        leftSection: <IconPlayerPlay {...ICON} />,
        onClick: () => mutate({ name: app.name, command: 'start' as const }),
      })),
    { id: 'action-copy', label: t('palette.copyLink'), leftSection: <IconLink {...ICON} />, onClick: () => void copyLink().catch(toast.error) },
    { id: 'action-light', label: t('palette.light'), leftSection: <IconSun {...ICON} />, onClick: () => setColorScheme('light') },
    { id: 'action-dark', label: t('palette.dark'), leftSection: <IconMoon {...ICON} />, onClick: () => setColorScheme('dark') },
    { id: 'action-preferences', label: t('preferences.title'), leftSection: <IconSettings {...ICON} />, onClick: onPreferences },
    { id: 'action-help', label: t('help.title'), leftSection: <IconKeyboard {...ICON} />, onClick: onHelp },
    { id: 'action-leave', label: t('account.signOut'), leftSection: <IconLogout {...ICON} />, onClick: () => void leave() },
  ];
}
