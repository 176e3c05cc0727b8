import { ActionIcon, Avatar, Menu, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconApi, IconFingerprint, IconKey, IconKeyboard, IconLogout, IconSettings, IconUser } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useRouter } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';

import { type Account, mayConfigure, nameOf, roleQuery, signOut } from '../../app/account';
import { actingRole, ALL_ROLES } from '../../app/actingRole';
import { plainTitle } from '../../fields/types';
import { toast } from '../../ui/toasts';

const ChangePassword = lazy(() => import('./ChangePassword').then((module) => ({ default: module.ChangePassword })));

interface Props {
  account: Account | undefined;
  onHelp: () => void;
  onPreferences: () => void;
}

export function useSignOut(): () => Promise<void> {
  const router = useRouter();
  return async () => {
    try {
      await signOut();
    } catch (error) {
      toast.error(error);
    }
    await router.navigate({ to: '/signin' });
  };
}

export function AvatarMenu({ account, onHelp, onPreferences }: Props) {
  const { t } = useTranslation();
  const [changing, change] = useDisclosure(false);
  const leave = useSignOut();
  const name = account ? nameOf(account) : '';
  return (
    <>
      <Menu position="bottom-end" width={260} shadow="md">
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" size={44} radius="xl" aria-label={t('account.menu', { name })}>
            <Avatar size={32} radius="xl" color="lagoon" alt="">
              <IconUser size={18} aria-hidden />
            </Avatar>
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <div style={{ padding: '6px 12px' }}>
            <Text size="sm" fw={600} truncate>
              {name}
            </Text>
            <Text size="xs" c="dimmed" truncate>
              {account?.email}
            </Text>
          </div>
          <RoleChoice account={account} />
          <Menu.Divider />
          <Menu.Item component={Link} to="/admin/profile" leftSection={<IconUser size={16} aria-hidden />}>
            {t('account.profile')}
          </Menu.Item>
          {mayConfigure(account) && (
            <Menu.Item component={Link} to="/admin/settings/api-keys" leftSection={<IconApi size={16} aria-hidden />}>
              {t('account.apiKeys')}
            </Menu.Item>
          )}
          {mayConfigure(account) && (
            <Menu.Item component={Link} to="/admin/settings/authenticators" leftSection={<IconFingerprint size={16} aria-hidden />}>
              {t('account.authenticators')}
            </Menu.Item>
          )}
          <Menu.Item leftSection={<IconSettings size={16} aria-hidden />} onClick={onPreferences}>
            {t('preferences.title')}
          </Menu.Item>
          <Menu.Item leftSection={<IconKeyboard size={16} aria-hidden />} onClick={onHelp}>
            {t('help.title')}
          </Menu.Item>
          <Menu.Item leftSection={<IconKey size={16} aria-hidden />} onClick={change.open}>
            {t('account.changePassword')}
          </Menu.Item>
          <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={() => void leave()}>
            {t('account.signOut')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Suspense fallback={null}>{changing && <ChangePassword opened onClose={change.close} account={account} />}</Suspense>
    </>
  );
}

/** As which role somebody with several works; nothing for all others, and where all are always used at once. */
function RoleChoice({ account }: { account: Account | undefined }) {
  const { t } = useTranslation();
  const roles = account?.roles ?? [];
  const { data } = useQuery({ ...roleQuery, enabled: roles.length > 1 });
  if (!data || roles.length < 2 || data.roleMode === 'only-use-union') return null;
  const union = data.roleMode === 'allow-use-union' ? [{ name: ALL_ROLES, title: t('account.allRoles') }] : [];
  return (
    <>
      <Menu.Divider />
      <Menu.Label>{t('account.role')}</Menu.Label>
      <Menu.RadioGroup value={data.role} onChange={(name) => actingRole.choose(String(name))}>
        {[...roles, ...union].map(({ name, title }) => (
          <Menu.RadioItem key={name} value={name}>
            {title ? plainTitle(title) : name}
          </Menu.RadioItem>
        ))}
      </Menu.RadioGroup>
    </>
  );
}
