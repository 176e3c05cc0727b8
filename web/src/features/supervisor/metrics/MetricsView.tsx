import { Group, ScrollArea, SegmentedControl, Skeleton, Stack, Switch, Table, Text } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { mainApi } from '../../../app/api';
import { EmptyState } from '../../../ui/EmptyState';
import { ErrorState } from '../../../ui/ErrorState';
import type { LogScope } from '../logs/model';
import { Chart } from './Chart';
import classes from './Chart.module.css';
import {
  DEFAULT_METRIC_RANGE, isEmpty, METRIC_RANGES, type MetricRange, METRICS, type MetricsAnswer, shown, timeOf, valueText,
} from './model';

const AGAIN_MS = 10_000;

/** Requests, errors, latency and memory of an app or an environment over the last minutes, hour or day. */
export function MetricsView({ scope }: { scope: LogScope }) {
  const { t } = useTranslation('supervisor');
  const [range, setRange] = useState<MetricRange>(DEFAULT_METRIC_RANGE);
  const [asTable, setAsTable] = useState(false);
  const { data, error, refetch } = useQuery({
    queryKey: ['metrics', scope, range],
    queryFn: ({ signal }) => mainApi.call<MetricsAnswer>('metrics:query', { params: { ...scope, range }, signal }),
    refetchInterval: AGAIN_MS,
    placeholderData: keepPreviousData,
  });
  return (
    <Stack gap="md">
      <Group justify="space-between" gap="sm">
        <SegmentedControl
          aria-label={t('metrics.range')}
          value={range}
          onChange={(value) => setRange(value as MetricRange)}
          data={METRIC_RANGES.map((value) => ({ value, label: t(`logs.ranges.${value}`) }))}
        />
        <Switch label={t('metrics.table')} checked={asTable} onChange={(event) => setAsTable(event.currentTarget.checked)} />
      </Group>
      {error && <ErrorState error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Skeleton height={320} />}
      {data && isEmpty(data) && <EmptyState>{t('metrics.none')}</EmptyState>}
      {data && !isEmpty(data) && (asTable ? <Figures answer={data} /> : <Charts answer={data} />)}
      <Text size="xs" c="dimmed">
        {t('metrics.about')}
      </Text>
    </Stack>
  );
}

function Charts({ answer }: { answer: MetricsAnswer }) {
  const [at, setAt] = useState<number | null>(null);
  const series = shown(answer);
  return (
    <div className={classes.grid}>
      {METRICS.map((metric) => (
        <Chart key={metric} metric={metric} answer={answer} values={series[metric]} at={at} onPoint={setAt} />
      ))}
    </div>
  );
}

/** The same as numbers, newest first. */
function Figures({ answer }: { answer: MetricsAnswer }) {
  const { t, i18n } = useTranslation('supervisor');
  const series = shown(answer);
  const clock = new Intl.DateTimeFormat(i18n.language, { dateStyle: 'short', timeStyle: 'medium' });
  const rows = series.requests.map((_, at) => at).filter((at) => METRICS.some((metric) => series[metric][at] !== null));
  return (
    <ScrollArea.Autosize mah="60dvh" viewportProps={{ tabIndex: 0, 'aria-label': t('metrics.table') }}>
      <Table stickyHeader verticalSpacing={6} miw={560}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('metrics.time')}</Table.Th>
            {METRICS.map((metric) => (
              <Table.Th key={metric} ta="end">
                {t(`metrics.${metric}`)}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.reverse().map((at) => (
            <Table.Tr key={at}>
              <Table.Td>{clock.format(timeOf(answer, at))}</Table.Td>
              {METRICS.map((metric) => (
                <Table.Td key={metric} ta="end">
                  {valueText(metric, series[metric][at], i18n.language)}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </ScrollArea.Autosize>
  );
}
