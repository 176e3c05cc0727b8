import { Group, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

interface Props {
  title: ReactNode;
  /** Shown in grey beside the title, such as the number of rows. */
  count?: ReactNode;
  icon?: ReactNode;
  description?: ReactNode;
  /** Buttons at the right; the primary one last. */
  actions?: ReactNode;
}

/** First row of every screen: what this is, how many, and the main action. */
export function PageHeader({ title, count, icon, description, actions }: Props) {
  return (
    <Group justify="space-between" align="flex-start" gap="sm" mb="md" wrap="wrap">
      <Group gap="sm" wrap="nowrap" miw={0}>
        {icon}
        <div style={{ minWidth: 0 }}>
          <Group gap="xs" align="baseline" wrap="wrap">
            <Title order={1} size="h3">
              {title}
            </Title>
            {count !== undefined && (
              <Text c="dimmed" size="sm">
                {count}
              </Text>
            )}
          </Group>
          {description && (
            <Text c="dimmed" size="sm" component="div">
              {description}
            </Text>
          )}
        </div>
      </Group>
      {actions && <Group gap="xs">{actions}</Group>}
    </Group>
  );
}
