import { Alert, Button, Group, List, Text, ThemeIcon } from '@mantine/core';
import { IconCheck, IconMinus, IconPlugConnected, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { type AppValues, createBody, NAME_PATTERN, randomName } from './applicationForm';
import type { Finding } from './model';
import { checkApp } from './queries';
import { findingsOf } from './useAppForm';

/** What a connection needs, in the order in which it is tried. */
export const NEEDS = ['reach', 'signIn', 'exists', 'version', 'tables'] as const;
export type Need = (typeof NEEDS)[number];

const NEED_OF_CODE: Record<string, Need> = {
  DATABASE_UNAVAILABLE: 'reach',
  DATABASE_UNREACHABLE: 'reach',
  DATABASE_VERSION_TOO_OLD: 'version',
  DATABASE_SIGN_IN_REFUSED: 'signIn',
  DATABASE_MISSING: 'exists',
  DATABASE_RIGHTS_MISSING: 'tables',
  DATABASE_NAME_TAKEN: 'tables',
};

export interface TestResult {
  /** Undefined: not tried, because something before it failed. */
  needs: Partial<Record<Need, boolean>>;
  /** What the server objects to about the connection, and what kept it from trying. */
  findings: Finding[];
}

/** Reads the findings of a check as the outcome of a connection test. */
export function testResult(findings: Finding[]): TestResult {
  const about = findings.filter(
    ({ field, code }) => code in NEED_OF_CODE || field === 'environments' || field?.startsWith('options.database'),
  );
  const failed = about.map(({ code }) => NEED_OF_CODE[code]).filter((need) => need !== undefined);
  const untried = about.length > 0 && failed.length === 0;
  const first = untried ? 0 : Math.min(NEEDS.length, ...failed.map((need) => NEEDS.indexOf(need)));
  const needs: TestResult['needs'] = {};
  NEEDS.forEach((need, index) => {
    if (index < first) needs[need] = true;
    else if (index === first && !untried) needs[need] = false;
  });
  return { needs, findings: about };
}

/** Tries the connection from the environments that will use it; nothing is created. */
export function ConnectionTest({ values }: { values: AppValues }) {
  const { t, i18n } = useTranslation('supervisor');
  const [busy, setBusy] = useState(false);
  const [result, setResult] = useState<(TestResult & { ms: number }) | null>(null);

  const test = async () => {
    setBusy(true);
    const began = performance.now();
    // The name plays no part in it, and may not be decided yet.
    const name = NAME_PATTERN.test(values.name) ? values.name : randomName();
    try {
      const { findings } = await checkApp(createBody({ ...values, name, adminMode: 'environment' }, false, i18n.language));
      setResult({ ...testResult(findings), ms: Math.round(performance.now() - began) });
    } catch (error) {
      setResult({ needs: {}, findings: findingsOf(error), ms: 0 });
    } finally {
      setBusy(false);
    }
  };

  return (
    <div>
      <Group gap="sm">
        <Button variant="default" loading={busy} leftSection={<IconPlugConnected size={16} aria-hidden />} onClick={() => void test()}>
          {t('test.button')}
        </Button>
        {result && result.ms > 0 && (
          <Text size="sm" c="dimmed">
            {t('test.took', { ms: result.ms })}
          </Text>
        )}
      </Group>
      <div role="status">
        {result && (
          <List spacing={6} size="sm" mt="sm" center>
            {NEEDS.map((need) => (
              <List.Item key={need} icon={<Mark passed={result.needs[need]} />}>
                {t(`test.need.${need}`)}{' '}
                <Text span size="xs" c="dimmed">
                  {t(`test.${result.needs[need] === undefined ? 'untried' : result.needs[need] ? 'passed' : 'failed'}`)}
                </Text>
              </List.Item>
            ))}
          </List>
        )}
      </div>
      {result?.findings.map((finding) => (
        <Alert key={finding.code + finding.message} color="red" variant="light" mt="sm" role="alert" title={finding.message}>
          {finding.remedy}
        </Alert>
      ))}
    </div>
  );
}

function Mark({ passed }: { passed: boolean | undefined }) {
  const [color, Icon] = passed === undefined ? ['gray', IconMinus] : passed ? ['green.8', IconCheck] : ['red.8', IconX];
  return (
    <ThemeIcon size={20} radius="xl" color={color as string} variant={passed === undefined ? 'light' : 'filled'} aria-hidden>
      <Icon size={13} />
    </ThemeIcon>
  );
}
