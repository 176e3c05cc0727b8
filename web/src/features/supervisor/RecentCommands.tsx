import { Anchor, Table, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { RelativeTime } from '../../ui/RelativeTime';
import { StatusChip, type Tone } from '../../ui/StatusChip';
import { duration } from './format';
import { type AppRow, type Receipt, titleOf } from './model';
import { Panel } from './Panel';
import { useApps } from './queries';

const SHOWN = 10;
const TONES: Record<Receipt['state'], Tone> = {
  accepted: 'busy', delivered: 'busy', applied: 'good', failed: 'bad', expired: 'warn',
};

interface Command {
  app: AppRow;
  operation: NonNullable<AppRow['operation']>;
  receipt: Receipt;
}

/** The last command to each app that an environment has answered, newest first. */
export function recentCommands(apps: AppRow[], environment: string): Command[] {
  return apps
    .flatMap((app) => {
      const receipt = app.operation?.receipts?.[environment];
      return app.operation && receipt ? [{ app, operation: app.operation, receipt }] : [];
    })
    .sort((left, right) => right.operation.at.localeCompare(left.operation.at))
    .slice(0, SHOWN);
}

export function RecentCommands({ environment }: { environment: string }) {
  const { t, i18n } = useTranslation('supervisor');
  const commands = recentCommands(useApps().data ?? [], environment);
  if (commands.length === 0) return null;
  return (
    <Panel title={t('commands.title')}>
      <Table.ScrollContainer minWidth={560} scrollAreaProps={{ viewportProps: { tabIndex: 0, 'aria-label': t('commands.title') } }}>
        <Table verticalSpacing="xs">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('commands.when')}</Table.Th>
              <Table.Th>{t('commands.action')}</Table.Th>
              <Table.Th>{t('columns.application')}</Table.Th>
              <Table.Th>{t('commands.result')}</Table.Th>
              <Table.Th>{t('commands.took')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {commands.map(({ app, operation, receipt }) => (
              <Table.Tr key={app.name}>
                <Table.Td>
                  <RelativeTime value={operation.at} />
                </Table.Td>
                <Table.Td>
                  {t(`timeline.action.${operation.action}`)}
                  {operation.by && (
                    <Text size="xs" c="dimmed">
                      {t('timeline.by', { name: operation.by })}
                    </Text>
                  )}
                </Table.Td>
                <Table.Td>
                  <Anchor component={Link} size="sm" to="/admin/settings/supervisor/apps/$name/{-$tab}" params={{ name: app.name } as never}>
                    {titleOf(app)}
                  </Anchor>
                </Table.Td>
                <Table.Td>
                  <StatusChip tone={TONES[receipt.state]}>{t(`commands.${receipt.state}`)}</StatusChip>
                  {receipt.reason && <Text size="xs">{receipt.reason.message}</Text>}
                </Table.Td>
                <Table.Td>
                  {duration(Math.max(1, new Date(receipt.at).getTime() - new Date(operation.at).getTime()), i18n.language)}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Panel>
  );
}
