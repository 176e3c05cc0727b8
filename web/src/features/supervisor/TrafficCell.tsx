import { Text } from '@mantine/core';
import type { TFunction } from 'i18next';
import { useTranslation } from 'react-i18next';

import type { GridColumn } from '../../ui/DataGrid';
import { Sparkline } from '../../ui/Sparkline';
import type { AppRow } from './model';
import classes from './Traffic.module.css';
import { type Traffic, trafficSentence, trafficTexts } from './traffic';

/** The column is shown on windows with room for it. */
export const TRAFFIC_WIDTH = '(min-width: 1400px)';

/** Requests of the last five minutes. */
export function trafficColumn(t: TFunction<'supervisor'>, language: string): GridColumn<AppRow> {
  return {
    id: 'traffic',
    title: t('traffic.column'),
    text: (row) => (row.traffic ? trafficSentence(row.traffic, t, language) : ''),
    sortValue: (row) => row.traffic?.requests ?? 0,
    cell: (row) => row.traffic && <TrafficCell traffic={row.traffic} />,
    width: 190,
    card: 'none',
  };
}

function TrafficCell({ traffic }: { traffic: Traffic }) {
  const { t, i18n } = useTranslation('supervisor');
  const texts = trafficTexts(traffic, i18n.language);
  if (traffic.requests === 0) {
    return (
      <Text size="sm" c="dimmed">
        {t('traffic.none')}
      </Text>
    );
  }
  return (
    <span className={classes.cell}>
      <Text span size="sm" className={classes.number}>
        {texts.requests}
      </Text>
      <Sparkline
        width={56}
        values={traffic.series.requests}
        tone={traffic.errors > 0 ? 'bad' : 'plain'}
        label={trafficSentence(traffic, t, i18n.language)}
      />
      <Text span size="sm" c="dimmed" className={classes.number}>
        {texts.p95}
      </Text>
    </span>
  );
}
