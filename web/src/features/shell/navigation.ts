import { IconApps, IconDatabase, IconFolder, IconServer2, IconStack2, type TablerIcon } from '@tabler/icons-react';

import { type Account, mayConfigure } from '../../app/account';
import { isMainApp } from '../../app/boot';

export interface Place {
  /** Key of the title in the namespace `app`: `nav.<key>`. */
  key: 'launcher' | 'applications' | 'environments' | 'data' | 'files';
  to: string;
  icon: TablerIcon;
  /** Second key after `g`. */
  shortcut: string;
}

const LAUNCHER: Place = { key: 'launcher', to: '/admin/apps', icon: IconApps, shortcut: 'l' };
const APPLICATIONS: Place = { key: 'applications', to: '/admin/settings/supervisor/apps', icon: IconStack2, shortcut: 'a' };
const ENVIRONMENTS: Place = {
  key: 'environments', to: '/admin/settings/supervisor/environments', icon: IconServer2, shortcut: 'e',
};
const DATA: Place = { key: 'data', to: '/admin/settings/data/main/collections', icon: IconDatabase, shortcut: 'd' };
const FILES: Place = { key: 'files', to: '/admin/settings/files', icon: IconFolder, shortcut: 'f' };

/** Where this person can go in this app. */
export function placesFor(account: Account | undefined): Place[] {
  if (!isMainApp) return mayConfigure(account) ? [DATA, FILES] : [];
  return mayConfigure(account) ? [LAUNCHER, APPLICATIONS, ENVIRONMENTS, DATA, FILES] : [LAUNCHER];
}
