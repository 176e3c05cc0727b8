import { Alert, Button, Code, Drawer, Group, Stack, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconBulb, IconRefresh } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';

import { CopyText } from '../../ui/CopyText';
import { dateTime } from '../../ui/time';
import { AppStatusChip } from './AppStatusChip';
import { Facts } from '../../ui/Facts';
import { LinesAround } from './logs/LinesAround';
import { actionsFor, type AppEvent, type AppRow, type Reason, titleOf } from './model';
import { eventsQuery, useApp } from './queries';
import { useCommand } from './StartStop';

/** Codes whose cure is known; what the server itself advises follows. */
const KNOWN = new Set([
  'DATABASE_RIGHTS_MISSING', 'DATABASE_SIGN_IN_REFUSED', 'DATABASE_MISSING', 'DATABASE_UNAVAILABLE', 'DATABASE_UNREACHABLE',
  'DATABASE_NAME_TAKEN', 'APP_STEP_TIMED_OUT', 'APP_DATA_MISSING', 'ENVIRONMENT_UNAVAILABLE',
]);

interface Props {
  app: AppRow;
  onClose: () => void;
}

/** What is wrong with an app: message, cause, when and where it happened, what to do, and another attempt. */
export function ProblemPanel({ app: given, onClose }: Props) {
  const { t } = useTranslation('supervisor');
  const phone = useMediaQuery('(max-width: 47.99em)', undefined, { getInitialValueInEffect: false });
  const app = useApp(given.name).data ?? given;
  const events = useQuery(eventsQuery(app.name)).data ?? [];
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size={phone ? '100%' : 720}
      padding="lg"
      title={
        <Text span fw={650}>
          {t('problem.title', { name: titleOf(app) })}
        </Text>
      }
    >
      <Stack gap="lg">
        <Group gap="xs" role="status">
          <AppStatusChip status={app.status} />
        </Group>
        {problemsOf(app).map(([environment, reason]) => (
          <Problem key={environment} app={app} environment={environment} reason={reason} events={events} />
        ))}
        {problemsOf(app).length === 0 && <Text size="sm">{t('problem.gone')}</Text>}
        <Retry app={app} />
      </Stack>
    </Drawer>
  );
}

/** Reasons by environment; the app's own one where no environment has given any. */
export function problemsOf(app: AppRow): [string, Reason][] {
  const found = Object.entries(app.reasons ?? {});
  return found.length === 0 && app.reason ? [['', app.reason]] : found;
}

function Retry({ app }: { app: AppRow }) {
  const { t } = useTranslation('supervisor');
  const { send, waiting } = useCommand(app);
  if (!actionsFor(app.status).start) return null;
  return (
    <Group>
      <Button loading={waiting} leftSection={<IconRefresh size={16} aria-hidden />} onClick={() => void send('start')}>
        {t('command.retry')}
      </Button>
    </Group>
  );
}

interface ProblemProps {
  app: AppRow;
  environment: string;
  reason: Reason;
  events: AppEvent[];
}

function Problem({ app, environment, reason, events }: ProblemProps) {
  const { t, i18n } = useTranslation(['supervisor', 'ui']);
  // Events come newest first; the last one that names this cause says since when.
  const at = events.find(
    (event) => event.environment === environment && event.reason?.code === reason.code && event.to !== '',
  )?.at;
  const when = at ? dateTime(at, i18n.language) : null;
  const known = KNOWN.has(reason.code) ? t(`problem.advice.${reason.code}`) : null;
  const advice = [known, reason.remedy].filter(Boolean).join(' ');
  const details = [
    `${t('problem.app')}: ${app.name}`,
    environment && `${t('runtime.environment')}: ${environment}`,
    when && `${t('problem.when')}: ${when}`,
    `${t('problem.cause')}: ${reason.code}`,
    reason.message,
    advice,
  ].filter(Boolean);
  return (
    <Stack gap="sm">
      <Alert color={app.status === 'error' ? 'red' : 'yellow'} variant="light" title={reason.message} />
      <Facts
        facts={[
          [t('problem.cause'), <Code key="code">{reason.code}</Code>],
          [t('problem.when'), when ?? '–'],
          [t('runtime.environment'), environment || '–'],
        ]}
      />
      {advice && (
        <Alert color="blue" variant="light" icon={<IconBulb aria-hidden />} title={t('problem.todo')}>
          {advice}
        </Alert>
      )}
      <Group>
        <CopyText text={details.join('\n')} label={t('ui:error.copyDetails')} />
      </Group>
      {environment && <LinesAround app={app.name} environment={environment} at={at ?? null} />}
    </Stack>
  );
}
