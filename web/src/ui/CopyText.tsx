import { ActionIcon, Button, CopyButton, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

interface Props {
  text: string;
  /** Words on the button; without them it is an icon named by `name`. */
  label?: string;
  /** What is copied, for the icon's name: "Copy {name}". */
  name?: string;
}

export function CopyText({ text, label, name }: Props) {
  const { t } = useTranslation('ui');
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => {
        const icon = copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />;
        if (label) {
          return (
            <Button size="compact-sm" variant="default" leftSection={icon} onClick={copy}>
              {copied ? t('copy.done') : label}
            </Button>
          );
        }
        const title = copied ? t('copy.done') : t('copy.name', { name: name ?? text });
        return (
          <Tooltip label={title}>
            <ActionIcon variant="subtle" color="gray" size={24} aria-label={title} onClick={copy}>
              {icon}
            </ActionIcon>
          </Tooltip>
        );
      }}
    </CopyButton>
  );
}
