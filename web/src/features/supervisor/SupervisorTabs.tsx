import { Tabs } from '@mantine/core';
import { useRouter } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

const PLACES = {
  apps: '/admin/settings/supervisor/apps',
  environments: '/admin/settings/supervisor/environments',
  overview: '/admin/settings/supervisor/overview',
} as const;

/** Switches between the lists of the supervisor. */
export function SupervisorTabs({ active }: { active: keyof typeof PLACES }) {
  const { t } = useTranslation('supervisor');
  const router = useRouter();
  return (
    <Tabs
      value={active}
      mb="md"
      onChange={(value) => void router.navigate({ to: PLACES[value as keyof typeof PLACES] })}
    >
      <Tabs.List aria-label={t('tabs.label')}>
        <Tabs.Tab value="apps">{t('tabs.apps')}</Tabs.Tab>
        <Tabs.Tab value="environments">{t('tabs.environments')}</Tabs.Tab>
        <Tabs.Tab value="overview">{t('tabs.overview')}</Tabs.Tab>
      </Tabs.List>
    </Tabs>
  );
}
