import { Outlet } from '@tanstack/react-router';
import { lazy, Suspense, useState, useSyncExternalStore } from 'react';

import { lifecycle } from '../../app/lifecycle';
import { session } from '../../app/session';
import { RoutePending } from './RoutePending';

const WaitingPage = lazy(() => import('../lifecycle/WaitingPage'));
const SessionDialog = lazy(() => import('../signin/SessionDialog'));

/**
 * Around every screen: the waiting page while the app does not answer, and the dialog to sign in again.
 * The screen below stays in place, so that input which is not saved yet survives both.
 */
export function RootLayout() {
  const maintenance = useSyncExternalStore(lifecycle.maintenance.subscribe, lifecycle.maintenance.get);
  const [opened, setOpened] = useState(maintenance === null);
  if (maintenance === null && !opened) setOpened(true);
  const prompt = useSyncExternalStore(session.prompt.subscribe, session.prompt.get);
  return (
    <>
      {opened && (
        <div hidden={maintenance !== null}>
          <Suspense fallback={<RoutePending />}>
            <Outlet />
          </Suspense>
        </div>
      )}
      <Suspense fallback={<RoutePending />}>
        {maintenance && <WaitingPage maintenance={maintenance} />}
        {/* An app that does not answer cannot check a password either. */}
        {prompt && !maintenance && <SessionDialog prompt={prompt} />}
      </Suspense>
    </>
  );
}
