import { Tooltip } from '@mantine/core';
import { IconLayoutSidebarLeftCollapse, IconLayoutSidebarLeftExpand } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';

import classes from './Navigation.module.css';
import type { Place } from './navigation';

const CollectionsNav = lazy(() =>
  import('../data/CollectionsNav').then((module) => ({ default: module.CollectionsNav })),
);

interface Props {
  places: Place[];
  /** Icons only; names appear as tooltips on hover and focus. */
  rail: boolean;
  /** Lists the collections of this app below the places. */
  collections: boolean;
  onToggle?: (() => void) | undefined;
}

export function Navigation({ places, rail, collections, onToggle }: Props) {
  const { t } = useTranslation();
  const toggleTitle = rail ? t('nav.expand') : t('nav.collapse');
  const ToggleIcon = rail ? IconLayoutSidebarLeftExpand : IconLayoutSidebarLeftCollapse;
  return (
    <div className={classes.box}>
      <nav aria-label={t('nav.label')} className={classes.main}>
        <div className={classes.places}>
          {places.map(({ key, to, icon: Icon }) => (
            <Tooltip key={key} label={t(`nav.${key}`)} position="right" disabled={!rail}>
              <Link
                to={to}
                className={classes.place}
                activeProps={{ 'data-active': true, 'aria-current': 'page' }}
                aria-label={rail ? t(`nav.${key}`) : undefined}
                data-rail={rail || undefined}
              >
                <Icon size={20} stroke={1.700} aria-hidden />
                {!rail && <span>{t(`nav.${key}`)}</span>}
              </Link>
            </Tooltip>
          ))}
        </div>
        {collections && (
          <Suspense fallback={null}>
            <div className={classes.collections}>
              <CollectionsNav collapsed={rail} />
            </div>
          </Suspense>
        )}
      </nav>
      {onToggle && (
        <Tooltip label={toggleTitle} position="right" disabled={!rail}>
          <button
            type="button"
            className={classes.place}
            onClick={onToggle}
            aria-label={toggleTitle}
            data-rail={rail || undefined}
          >
            <ToggleIcon size={20} stroke={1.700} aria-hidden />
            {!rail && <span>{toggleTitle}</span>}
          </button>
        </Tooltip>
      )}
    </div>
  );
}
