import { Alert, Code, List, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';

import type { Finding } from './model';

/** Why the app cannot be created as asked: each reason with its code and what to do. Takes the focus. */
export function Findings({ findings }: { findings: Finding[] }) {
  const { t } = useTranslation('supervisor');
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    box.current?.focus();
    box.current?.scrollIntoView({ block: 'nearest' });
  }, [findings]);
  if (findings.length === 0) return null;
  return (
    <Alert
      ref={box}
      tabIndex={-1}
      role="alert"
      color="red"
      variant="light"
      icon={<IconAlertTriangle aria-hidden />}
      title={t('findings.title', { count: findings.length })}
    >
      <List size="sm" spacing="xs">
        {findings.map((finding) => (
          <List.Item key={`${finding.code} ${finding.field ?? ''} ${finding.message}`}>
            <Text size="sm">{finding.message}</Text>
            {finding.remedy && <Text size="sm">{finding.remedy}</Text>}
            <Code>{finding.code}</Code>
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}
