import { Progress, Text } from '@mantine/core';

import classes from './UsageBar.module.css';

/** Above this share people should look. */
const HIGH = 0.85;

interface Props {
  /** 0 to 1. */
  share: number;
  text: string;
  label: string;
}

/** How much of something is used: a bar and the figure. */
export function UsageBar({ share, text, label }: Props) {
  return (
    <span className={classes.usage}>
      <Progress
        value={Math.min(1, share) * 100}
        size="sm"
        radius="xl"
        color={share > HIGH ? 'red.7' : 'lagoon.6'}
        className={classes.bar}
        aria-label={`${label}: ${text}`}
      />
      <Text span size="xs" className={classes.text}>
        {text}
      </Text>
    </span>
  );
}
