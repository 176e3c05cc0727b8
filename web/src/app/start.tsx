import i18next from 'i18next';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { toast } from '../ui/toasts';
import { api } from './api';
import { boot, styleNonce } from './boot';
import { startTranslations } from './i18n';
import { lifecycle } from './lifecycle';
import { watchMaintenance } from './maintenance';
import { Providers } from './Providers';
import { router } from './router';
import { connection } from './connection';
import { live } from './ws';

const RELOADED_KEY = 'atoll.reloaded';

/** After an upgrade the old chunks are gone: load the page again, but once per build so that it cannot loop. */
function reloadOnMissingChunk(): void {
  window.addEventListener('vite:preloadError', (event) => {
    if (sessionStorage.getItem(RELOADED_KEY) === boot.build) return;
    event.preventDefault();
    sessionStorage.setItem(RELOADED_KEY, boot.build);
    window.location.reload();
  });
}

/** The scroll lock of dialogs adds a style tag; its library takes the nonce from a global of this name. */
function giveNonceToScrollLock(): void {
  const nonce = styleNonce();
  if (nonce) Object.assign(window, { __webpack_nonce__: nonce });
}

export async function startApp(): Promise<void> {
  reloadOnMissingChunk();
  giveNonceToScrollLock();
  document.title = boot.title;
  if (boot.maintenance) lifecycle.set(boot.maintenance.code, boot.maintenance.message);
  // The screen's own code arrives while the texts do.
  await Promise.all([startTranslations(), boot.maintenance ? undefined : router.load()]);
  api.onSlowDown = (seconds) => toast.info(i18next.t('error.slowDown', { ns: 'ui', count: seconds }), seconds * 1000);
  connection.start();
  live.start();
  watchMaintenance();
  const element = document.getElementById('root');
  if (!element) throw new Error('index.html has no element with the id "root"');
  createRoot(element).render(
    <StrictMode>
      <Providers />
    </StrictMode>,
  );
}
