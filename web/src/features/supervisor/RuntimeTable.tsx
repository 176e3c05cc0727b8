import { Anchor, Table, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

import { RelativeTime } from '../../ui/RelativeTime';
import { EmptyState } from '../../ui/EmptyState';
import { AppStatusChip } from './AppStatusChip';
import { addressOf, type AppRow, type InstanceStatus } from './model';
import { useEnvironments } from './queries';

/** Each process that runs the app, as it reports about itself. */
export function RuntimeTable({ app }: { app: AppRow }) {
  const { t } = useTranslation('supervisor');
  const environments = useEnvironments().data ?? [];
  const instances = app.instances ?? [];
  if (instances.length === 0) return <EmptyState>{t('runtime.none')}</EmptyState>;
  const beatOf = (row: InstanceStatus) =>
    environments.find((environment) => environment.name === row.environment)?.lastHeartbeatAt;
  return (
    <Table.ScrollContainer minWidth={720} scrollAreaProps={{ viewportProps: { tabIndex: 0, 'aria-label': t('detail.runtime') } }}>
      <Table verticalSpacing="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('runtime.environment')}</Table.Th>
            <Table.Th>{t('columns.status')}</Table.Th>
            <Table.Th>{t('runtime.instance')}</Table.Th>
            <Table.Th>{t('columns.version')}</Table.Th>
            <Table.Th>{t('runtime.since')}</Table.Th>
            <Table.Th>{t('runtime.heartbeat')}</Table.Th>
            <Table.Th>{t('runtime.message')}</Table.Th>
            <Table.Th>{t('runtime.visit')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {instances.map((row) => {
            const beat = beatOf(row);
            return (
              <Table.Tr key={`${row.environment}/${row.instance ?? ''}`}>
                <Table.Td>{row.environment}</Table.Td>
                <Table.Td>
                  <AppStatusChip status={row.status} />
                </Table.Td>
                <Table.Td>
                  <Text size="xs" ff="monospace">
                    {row.instance}
                  </Text>
                </Table.Td>
                <Table.Td>{row.version}</Table.Td>
                <Table.Td>{row.since && <RelativeTime value={row.since} />}</Table.Td>
                <Table.Td>{beat && <RelativeTime value={beat} />}</Table.Td>
                <Table.Td>{row.message}</Table.Td>
                <Table.Td>
                  {row.status === 'running' && !app.cname && (
                    <Anchor size="sm" href={`${addressOf(app)}?__env=${encodeURIComponent(row.environment)}`}>
                      {t('runtime.openHere')}
                    </Anchor>
                  )}
                </Table.Td>
              </Table.Tr>
            );
          })}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
