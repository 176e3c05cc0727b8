/** Says how many rows a list has, whenever that or what is looked for changes; not when it is only read again. */
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';

import { announce } from '../announce';
import type { GridState } from './types';

export function useAnnouncedResults(total: number | undefined, settled: boolean, { q, filter }: GridState): void {
  const { t, i18n } = useTranslation('grid');
  const told = useRef('');
  const asked = JSON.stringify([q, filter, total]);
  useEffect(() => {
    if (!settled || total === undefined || told.current === asked) return;
    told.current = asked;
    announce(t('results', { count: total, total: new Intl.NumberFormat(i18n.language).format(total) }));
  }, [settled, total, asked, t, i18n.language]);
}
