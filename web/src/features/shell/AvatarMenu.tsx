import { ActionIcon, Avatar, type MantineColorScheme, Menu, Text, useMantineColorScheme } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconKey, IconKeyboard, IconLogout, IconUser } from '@tabler/icons-react';
import { useRouter } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { type Account, nameOf, signOut } from '../../app/account';
import { switchLanguage } from '../../app/i18n';
import { type Language, LANGUAGES } from '../../app/language';
import { toast } from '../../ui/toasts';
import { ChangePassword } from './ChangePassword';

const SCHEMES = ['auto', 'light', 'dark'] as const;

interface Props {
  account: Account | undefined;
  onHelp: () => void;
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

export function AvatarMenu({ account, onHelp }: Props) {
  const { t, i18n } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
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
          <Menu.Divider />
          <Menu.Label c="dimmed">{t('account.theme')}</Menu.Label>
          <Menu.RadioGroup value={colorScheme} onChange={(scheme) => setColorScheme(scheme as MantineColorScheme)}>
            {SCHEMES.map((scheme) => (
              <Menu.RadioItem key={scheme} value={scheme}>
                {t(`theme.${scheme}`)}
              </Menu.RadioItem>
            ))}
          </Menu.RadioGroup>
          <Menu.Divider />
          <Menu.Label c="dimmed">{t('account.language')}</Menu.Label>
          <Menu.RadioGroup value={i18n.language} onChange={(language) => void switchLanguage(language as Language)}>
            {(Object.keys(LANGUAGES) as Language[]).map((language) => (
              <Menu.RadioItem key={language} value={language} lang={language}>
                {LANGUAGES[language]}
              </Menu.RadioItem>
            ))}
          </Menu.RadioGroup>
          <Menu.Divider />
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
      <ChangePassword opened={changing} onClose={change.close} account={account} />
    </>
  );
}
