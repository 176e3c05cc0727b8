import { ActionIcon, Divider, Drawer, Tooltip } from '@mantine/core';
import { useDisclosure, useLocalStorage, useMediaQuery } from '@mantine/hooks';
import { IconMenu2 } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Outlet, useRouter } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useRef, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';

import { type Account, mayConfigure, systemSettingsQuery, useAccount, useAppTitle } from '../../app/account';
import { isMainApp } from '../../app/boot';
import { usePreference } from '../../app/preferences';
import { useZone } from '../../app/zone';
import { tour } from '../setup/tour';
import { useSupervisorLive } from '../supervisor/queries';
import { tray } from '../tasks/queries';
import { TaskTray, TrayEntry } from '../tasks/TaskTray';
import { AppSwitcher } from './AppSwitcher';
import { AvatarMenu } from './AvatarMenu';
import { ConnectionNotice } from './ConnectionNotice';
import { Navigation } from './Navigation';
import { placesFor } from './navigation';
import { Palette, SearchButton } from './Palette';
import classes from './Shell.module.css';
import { useShellKeys } from './useShellKeys';

const HelpSheet = lazy(() => import('./HelpSheet').then((module) => ({ default: module.HelpSheet })));
const Preferences = lazy(() => import('./Preferences').then((module) => ({ default: module.Preferences })));
const SetupWizard = lazy(() => import('../setup/SetupWizard'));
const ScreenTour = lazy(() => import('../setup/Tour'));

const PHONE = '(max-width: 47.99em)';
const WIDE = '(min-width: 75em)';
const SYNC = { getInitialValueInEffect: false };

/** Header, navigation and content: everything behind the sign-in is shown in here. */
export function Shell() {
  const { t } = useTranslation();
  const account = useAccount();
  const places = placesFor(account);
  const phone = useMediaQuery(PHONE, undefined, SYNC);
  const wide = useMediaQuery(WIDE, undefined, SYNC);
  const [collapsed, setCollapsed] = useLocalStorage({
    key: 'atoll.sidebar-collapsed', defaultValue: false, getInitialValueInEffect: false,
  });
  const zone = useZone();
  const [menuOpen, menu] = useDisclosure(false);
  const [helpOpen, help] = useDisclosure(false);
  const [preferencesOpen, preferences] = useDisclosure(false);
  const toggle = () => setCollapsed((value) => !value);
  const rail = !phone && (!wide || collapsed);
  useSupervisorLive();
  useShellKeys({ places, onToggleSidebar: toggle, onHelp: help.open });
  useDocumentTitle();
  useStillness();
  useCloseOnNavigation(menu.close);

  return (
    <div className={classes.shell} data-rail={rail || undefined}>
      <a className={classes.skip} href="#content">
        {t('skipToContent')}
      </a>
      <header className={classes.header}>
        {phone && (
          <Tooltip label={t('menu')}>
            <ActionIcon variant="subtle" color="gray" size={44} aria-label={t('menu')} data-tour="navigation" onClick={menu.open}>
              <IconMenu2 size={22} aria-hidden />
            </ActionIcon>
          </Tooltip>
        )}
        <span data-tour="switcher" className={classes.switcher}>
          <AppSwitcher />
        </span>
        <div className={classes.spacer} />
        <span data-tour="search">
          <SearchButton compact={phone ?? false} />
        </span>
        <TaskTray phone={phone} />
        <span data-tour="account">
          <AvatarMenu account={account} onHelp={help.open} onPreferences={preferences.open} />
        </span>
      </header>
      {!phone && (
        <div className={classes.sidebar} data-tour="navigation">
          <Navigation places={places} rail={rail} collections={mayConfigure(account)} onToggle={wide ? toggle : undefined} />
        </div>
      )}
      <Drawer opened={menuOpen && phone} onClose={menu.close} title={t('menu')} size={300} padding="sm" attributes={{ content: { 'data-sheet': true } }}>
        <Navigation places={places} rail={false} collections={mayConfigure(account)} />
        <Divider my="sm" />
        <TrayEntry
          onOpen={() => {
            menu.close();
            tray.set(true);
          }}
        />
      </Drawer>
      <main id="content" data-tour="content" className={classes.content} tabIndex={-1}>
        <ConnectionNotice />
        {/* Moments are written anew in another zone. */}
        <Outlet key={zone} />
      </main>
      <Palette account={account} places={places} onHelp={help.open} onPreferences={preferences.open} />
      <Suspense fallback={null}>
        {preferencesOpen && (
          <Preferences
            opened
            onClose={preferences.close}
            onHelp={() => {
              preferences.close();
              help.open();
            }}
          />
        )}
        {helpOpen && <HelpSheet opened onClose={help.close} places={places} />}
      </Suspense>
      <FirstSteps account={account} />
    </div>
  );
}

/** The wizard of a fresh server for its administrator, and the tour; their code comes when they are needed. */
function FirstSteps({ account }: { account: Account | undefined }) {
  const pending = useQuery(systemSettingsQuery).data?.options?.setup === 'pending';
  const touring = useSyncExternalStore(tour.subscribe, tour.get);
  return (
    <Suspense fallback={null}>
      {isMainApp && pending && account && mayConfigure(account) && <SetupWizard account={account} />}
      {touring && <ScreenTour />}
    </Suspense>
  );
}

/** Nothing moves for those who chose so here, whatever their system says; see global.css. */
function useStillness(): void {
  const [still] = usePreference('reducedMotion');
  useEffect(() => {
    document.documentElement.toggleAttribute('data-still', still === true);
  }, [still]);
}

function useDocumentTitle(): void {
  const title = useAppTitle();
  useEffect(() => {
    document.title = title;
  }, [title]);
}

function useCloseOnNavigation(close: () => void): void {
  const router = useRouter();
  const latest = useRef(close);
  useEffect(() => {
    latest.current = close;
  });
  useEffect(() => router.subscribe('onBeforeNavigate', () => latest.current()), [router]);
}
