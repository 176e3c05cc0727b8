import { Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

import { Sparkline } from '../../ui/Sparkline';
import classes from './Traffic.module.css';
import { type Traffic, trafficTexts } from './traffic';

const MINUTE = 60;

/** Four figures of the last minutes, each with how it went. */
export function TrafficTiles({ traffic }: { traffic: Traffic }) {
  const { t, i18n } = useTranslation('supervisor');
  const texts = trafficTexts(traffic, i18n.language);
  const { series } = traffic;
  const minutes = Math.round(traffic.seconds / MINUTE);
  const tiles = [
    { key: 'perMinute', value: texts.perMinute, values: series.requests },
    { key: 'p95', value: texts.p95, values: series.p95 },
    { key: 'errorRate', value: texts.errorRate, values: series.errors, bad: traffic.errors > 0 },
    { key: 'memory', value: texts.memory, values: series.memory },
  ] as const;
  return (
    <section aria-label={t('traffic.title', { count: minutes })}>
      <dl className={classes.tiles}>
        {tiles.map((tile) => (
          <div key={tile.key} className={classes.tile}>
            <Text component="dt" size="xs" c="dimmed" title={t(`traffic.about.${tile.key}`)}>
              {t(`traffic.${tile.key}`)}
            </Text>
            <dd className={classes.value}>{tile.value}</dd>
            <dd className={classes.course}>
              <Sparkline
                values={[...tile.values]}
                tone={'bad' in tile && tile.bad ? 'bad' : 'plain'}
                label={t('traffic.course', { name: t(`traffic.${tile.key}`), count: minutes })}
              />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
