import { Alert, Button, Code, Group, List, Loader, Stack, Text, ThemeIcon } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { environmentQuery, testEnvironment } from '../queries';
import type { JoinValues } from './snippets';

const LOOK_MS = 2_000;
const LONG_MS = 60_000;
const GOOD = 400;

/** What has been seen of the new environment, as it happens; likely causes when nothing comes. */
export function Waiting({ values, version }: { values: JoinValues; version: string }) {
  const { t } = useTranslation('supervisor');
  const { name } = values;
  const { data: environment } = useQuery({ ...environmentQuery(name), refetchInterval: LOOK_MS });
  const seen = environment != null;
  const alive = seen && environment.available !== false && environment.status !== 'offline';
  const test = useQuery({
    queryKey: ['environment', name, 'answers'],
    queryFn: async () => (await testEnvironment(name)).proxyUrl ?? null,
    enabled: alive,
    refetchInterval: (query) => ((query.state.data?.status ?? GOOD) < GOOD ? false : LOOK_MS * 2),
  });
  const reached = test.data?.status != null && test.data.status < GOOD;
  const sameVersion = alive && environment.appVersion === version;
  const steps = [
    ['announced', seen], ['alive', alive], ['reached', reached], ['version', sameVersion],
  ] as const;
  const done = alive && reached;
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), LONG_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <Stack gap="md">
      <List spacing="xs" center role="status">
        {steps.map(([step, passed]) => (
          <List.Item
            key={step}
            icon={
              passed ? (
                <ThemeIcon size={22} radius="xl" color="green.8" aria-label={t('stepState.done')} role="img">
                  <IconCheck size={14} aria-hidden />
                </ThemeIcon>
              ) : (
                <Loader size={20} aria-label={t('stepState.waiting')} />
              )
            }
          >
            {t(`join.step.${step}`, { version })}
          </List.Item>
        ))}
      </List>
      {alive && !reached && test.data && (
        <Alert color="yellow" variant="light">
          {t('join.unreached', { address: test.data.address, message: test.data.message || test.data.status })}
        </Alert>
      )}
      {alive && environment.appVersion !== version && (
        <Text size="sm">{t('join.otherVersion', { theirs: environment.appVersion, ours: version })}</Text>
      )}
      {!alive && late && (
        <Alert color="yellow" variant="light" title={t('join.late')}>
          <List size="sm" spacing={4}>
            <List.Item>{t('join.causeProcess')} <Code>{`curl ${values.proxyUrl || values.url}/api/__ready`}</Code></List.Item>
            <List.Item>{t('join.causeRedis')} <Code>atoll doctor</Code></List.Item>
            <List.Item>{t('join.causeName', { name })}</List.Item>
          </List>
        </Alert>
      )}
      {done && (
        <Group>
          <Button component={Link} to="/admin/settings/supervisor/apps" search={{ create: true } as never}>
            {t('join.createApp')}
          </Button>
        </Group>
      )}
    </Stack>
  );
}
