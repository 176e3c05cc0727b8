import { Radio, Skeleton, Text } from '@mantine/core';
import { IconAddressBook, IconBox, IconChecklist, IconFile, IconLayoutGrid, IconTicket } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { ErrorState } from '../../ui/ErrorState';
import { templatesQuery } from './queries';
import classes from './TemplateChoice.module.css';

interface Props {
  value: string;
  onChange: (name: string) => void;
}

/** What a new app begins with; '' is nothing. */
export function TemplateChoice({ value, onChange }: Props) {
  const { t, i18n } = useTranslation('supervisor');
  const { data, error, refetch } = useQuery(templatesQuery(i18n.language));
  if (error) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton height={140} />;
  return (
    <Radio.Group label={t('form.template')} value={value} onChange={onChange}>
      <div className={classes.grid}>
        <Card value="" icon={<IconFile size={22} stroke={1.700} />} title={t('template.blank')} about={t('template.blankAbout')} />
        {data.map((template) => (
          <Card
            key={template.name}
            value={template.name}
            icon={<TemplateIcon name={template.name} />}
            title={template.title}
            about={template.about}
            parts={template.collections.join(' · ')}
          />
        ))}
      </div>
    </Radio.Group>
  );
}

const ICONS = { crm: IconAddressBook, tickets: IconTicket, project: IconChecklist, inventory: IconBox };

function TemplateIcon({ name }: { name: string }) {
  const Icon = name in ICONS ? ICONS[name as keyof typeof ICONS] : IconLayoutGrid;
  return <Icon size={22} stroke={1.700} />;
}

interface CardProps {
  value: string;
  icon: ReactNode;
  title: string;
  about: string;
  parts?: string;
}

function Card({ value, icon, title, about, parts }: CardProps) {
  return (
    <label className={classes.card}>
      <span className={classes.icon} aria-hidden>
        {icon}
      </span>
      <span className={classes.text}>
        <Text span size="sm" fw={600}>
          {title}
        </Text>
        <Text span size="xs" c="dimmed" display="block">
          {about}
        </Text>
        {parts && (
          <Text span size="xs" c="dimmed" display="block" mt={4}>
            {parts}
          </Text>
        )}
      </span>
      <Radio value={value} aria-label={title} />
    </label>
  );
}
