import { Tabs } from '@mantine/core';
import { useRouter } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { mayConfigure, useAccount } from '../../app/account';

const PLACES = { tasks: '/admin/settings/tasks', queues: '/admin/settings/queues' } as const;

/** Switches between tasks and queues; only who looks after the app has both. */
export function WorkTabs({ active }: { active: keyof typeof PLACES }) {
  const { t } = useTranslation('work');
  const router = useRouter();
  if (!mayConfigure(useAccount())) return null;
  return (
    <Tabs value={active} mb="md" onChange={(value) => void router.navigate({ to: PLACES[value as keyof typeof PLACES] })}>
      <Tabs.List aria-label={t('tabs.label')}>
        <Tabs.Tab value="tasks">{t('tabs.tasks')}</Tabs.Tab>
        <Tabs.Tab value="queues">{t('tabs.queues')}</Tabs.Tab>
      </Tabs.List>
    </Tabs>
  );
}
