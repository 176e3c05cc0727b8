import { Paper, Title } from '@mantine/core';
import { type ReactNode, useId } from 'react';

import classes from './Panel.module.css';

interface Props {
  title: ReactNode;
  /** Not wider than a comfortable line, for forms. */
  narrow?: boolean;
  children: ReactNode;
}

export function Panel({ title, narrow, children }: Props) {
  const id = useId();
  return (
    <Paper component="section" aria-labelledby={id} withBorder p="md" className={classes.panel} data-narrow={narrow || undefined}>
      <Title id={id} order={2} size="h5" mb="sm">
        {title}
      </Title>
      {children}
    </Paper>
  );
}
