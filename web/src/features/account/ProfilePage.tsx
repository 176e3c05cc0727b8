import { Button, Paper, Stack, Text, TextInput, Title } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useDisclosure } from '@mantine/hooks';
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { type Account, accountQuery, useAccount } from '../../app/account';
import { api } from '../../app/api';
import { ErrorState } from '../../ui/ErrorState';
import { PageHeader } from '../../ui/PageHeader';
import { toast } from '../../ui/toasts';
import { ChangePassword } from '../shell/ChangePassword';
import { SecondFactorPart } from './SecondFactorPart';
import { SessionsPart } from './SessionsPart';

/** What a person may know and change about the own account. */
export function ProfilePage() {
  const { t } = useTranslation(['account', 'app']);
  const account = useAccount();
  const [changing, change] = useDisclosure(false);
  return (
    <>
      <PageHeader title={t('profile.title')} />
      <Stack gap="md" maw={760}>
        <Part title={t('profile.about')}>{account && <AboutForm account={account} />}</Part>
        <Part title={t('profile.password')} text={t('profile.passwordText')}>
          <div>
            <Button variant="default" onClick={change.open}>
              {t('app:account.changePassword')}
            </Button>
          </div>
        </Part>
        <Part title={t('factor.title')} text={t('factor.text')}>
          <SecondFactorPart />
        </Part>
        <Part title={t('sessions.title')} text={t('sessions.text')}>
          <SessionsPart />
        </Part>
      </Stack>
      <ChangePassword opened={changing} onClose={change.close} account={account} />
    </>
  );
}

function Part({ title, text, children }: { title: string; text?: string; children: ReactNode }) {
  return (
    <Paper withBorder p="md" radius="md" component="section" aria-label={title}>
      <Stack gap="sm">
        <div>
          <Title order={2} size="h5">
            {title}
          </Title>
          {text && (
            <Text size="sm" c="dimmed">
              {text}
            </Text>
          )}
        </div>
        {children}
      </Stack>
    </Paper>
  );
}

function AboutForm({ account }: { account: Account }) {
  const { t } = useTranslation(['account', 'ui']);
  const client = useQueryClient();
  const [error, setError] = useState<Error | null>(null);
  const form = useForm({
    initialValues: {
      nickname: account.nickname ?? '',
      username: account.username ?? '',
      email: account.email ?? '',
      phone: account.phone ?? '',
    },
  });
  const save = async (values: typeof form.values) => {
    setError(null);
    try {
      const given = Object.entries(values).map(([name, value]) => [name, value.trim() || null]);
      await api.call('users:updateProfile', { body: Object.fromEntries(given) });
      form.resetDirty(values);
      await client.invalidateQueries({ queryKey: accountQuery.queryKey });
      toast.success(t('profile.saved'));
    } catch (problem) {
      setError(problem as Error);
    }
  };
  return (
    <form onSubmit={form.onSubmit(save)} noValidate>
      <Stack gap="sm">
        {error && <ErrorState error={error} />}
        <TextInput label={t('profile.nickname')} autoComplete="name" {...form.getInputProps('nickname')} />
        <TextInput label={t('profile.username')} autoComplete="username" {...form.getInputProps('username')} />
        <TextInput label={t('profile.email')} type="email" autoComplete="email" {...form.getInputProps('email')} />
        <TextInput label={t('profile.phone')} type="tel" autoComplete="tel" {...form.getInputProps('phone')} />
        <div>
          <Button type="submit" disabled={!form.isDirty()} loading={form.submitting}>
            {t('ui:save')}
          </Button>
        </div>
      </Stack>
    </form>
  );
}
