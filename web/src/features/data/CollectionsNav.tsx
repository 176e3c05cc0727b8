import { NavLink, Tooltip } from '@mantine/core';
import { IconTable } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useLocation, useRouter } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { collectionTitle } from './model';
import { collectionsQuery } from './queries';

interface Props {
  /** Icons only. */
  collapsed?: boolean;
  onNavigate?: () => void;
}

/** The collections of this app as entries of the sidebar: where people find their data. */
export function CollectionsNav({ collapsed = false, onNavigate }: Props) {
  const { t } = useTranslation('data');
  const router = useRouter();
  const { pathname } = useLocation();
  const { data } = useQuery(collectionsQuery);
  const collections = (data ?? []).filter((collection) => collection.system !== true);
  if (collections.length === 0) return null;
  return (
    <nav aria-label={t('nav')}>
      {collections.map((collection) => {
        const title = collectionTitle(collection);
        const to = '/admin/r/$collection' as const;
        const params = { collection: collection.name };
        const path = `/admin/r/${collection.name}`;
        const active = pathname === path || pathname.startsWith(`${path}/`);
        return (
          <Tooltip key={collection.name} label={title} position="right" disabled={!collapsed}>
            <NavLink
              href={router.buildLocation({ to, params }).publicHref}
              label={collapsed ? undefined : title}
              aria-label={collapsed ? title : undefined}
              aria-current={active ? 'page' : undefined}
              active={active}
              leftSection={<IconTable size={18} aria-hidden />}
              styles={{ root: { borderRadius: 'var(--mantine-radius-md)' } }}
              onClick={(event) => {
                if (event.metaKey || event.ctrlKey || event.shiftKey) return;
                event.preventDefault();
                onNavigate?.();
                void router.navigate({ to, params });
              }}
            />
          </Tooltip>
        );
      })}
    </nav>
  );
}
