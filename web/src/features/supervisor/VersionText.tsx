import { IconArrowUpCircle } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { type AppRow, type EnvironmentRow, versionsOf } from './model';
import { useEnvironments } from './queries';
import classes from './VersionText.module.css';
import { compareVersions, newerForApp, newestVersion } from './versions';

/** A version; with `newer` it says in amber which one is available. */
export function VersionText({ version, newer }: { version: string; newer: string | undefined }) {
  const { t } = useTranslation('supervisor');
  if (!newer) return version || '–';
  return (
    <span className={classes.box}>
      {version}
      <span className={classes.newer} title={t('version.available', { version: newer })}>
        <IconArrowUpCircle size={14} aria-hidden />
        {t('version.available', { version: newer })}
      </span>
    </span>
  );
}

/** The versions that run an app, and the one of its environment when that is newer. */
export function AppVersion({ app }: { app: AppRow }) {
  return <VersionText version={versionsOf(app)} newer={newerForApp(app, useEnvironments().data ?? [])} />;
}

/** The version of an environment, and the newest one among the others when that is newer. */
export function EnvironmentVersion({ environment }: { environment: EnvironmentRow }) {
  const version = environment.appVersion ?? '';
  const newest = newestVersion(useEnvironments().data ?? []);
  return <VersionText version={version} newer={version && newest && compareVersions(version, newest) < 0 ? newest : undefined} />;
}
