import { Alert, Button, Checkbox, Group, NativeSelect, Paper, Stack, Text, TextInput, Title } from '@mantine/core';
import { useRouter, useSearch } from '@tanstack/react-router';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useAppTitle } from '../../app/account';
import { boot } from '../../app/boot';
import { switchLanguage } from '../../app/i18n';
import { currentLanguage, type Language, LANGUAGES } from '../../app/language';
import { AppIcon } from '../supervisor/AppIcon';
import { PasswordField } from './PasswordField';
import classes from './SignInPage.module.css';
import { useSignIn } from './useSignIn';

export function SignInPage() {
  const { t } = useTranslation('signin');
  const title = useAppTitle();
  useEffect(() => {
    document.title = t('documentTitle', { title });
  }, [t, title]);
  return (
    <main className={classes.page}>
      <Stack gap="lg" className={classes.column}>
        <Paper withBorder p={{ base: 'md', xs: 'xl' }} radius="lg" className={classes.card}>
          <Group gap="sm" mb="lg" wrap="nowrap">
            <AppIcon app={{ name: boot.app, displayName: title }} size={40} />
            <div className={classes.titles}>
              <Title order={1} size="h3" lineClamp={2}>
                {t('title', { title })}
              </Title>
              {boot.basePath && (
                <Text size="sm" c="dimmed">
                  {boot.basePath}
                </Text>
              )}
            </div>
          </Group>
          <SignInForm />
        </Paper>
        <LanguageSelect />
      </Stack>
    </main>
  );
}

function SignInForm() {
  const { t } = useTranslation('signin');
  const router = useRouter();
  const search = useSearch({ from: '/signin' });
  const [account, setAccount] = useState('');
  const [password, setPassword] = useState('');
  const [remember, setRemember] = useState(true);
  const passwordField = useRef<HTMLInputElement>(null);
  const { busy, problem, submit } = useSignIn();

  const onSubmit = async (event: FormEvent) => {
    event.preventDefault();
    if (await submit({ account: account.trim(), password }, remember)) {
      await router.navigate({ href: search.redirect ?? '/admin', replace: true });
      return;
    }
    setPassword('');
    passwordField.current?.focus();
  };

  return (
    <form onSubmit={(event) => void onSubmit(event)}>
      <Stack gap="md">
        {problem && (
          <Alert color="red" variant="light" role="alert" className={classes.problem}>
            {problem}
          </Alert>
        )}
        <TextInput
          label={t('account')}
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus
          required
          withAsterisk={false}
          value={account}
          onChange={(event) => setAccount(event.currentTarget.value)}
        />
        <PasswordField
          ref={passwordField}
          label={t('password')}
          name="password"
          required
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <Checkbox
          label={t('remember')}
          checked={remember}
          onChange={(event) => setRemember(event.currentTarget.checked)}
        />
        <Button type="submit" loading={busy} fullWidth>
          {t('submit')}
        </Button>
      </Stack>
    </form>
  );
}

function LanguageSelect() {
  const { t } = useTranslation('signin');
  return (
    <NativeSelect
      size="sm"
      aria-label={t('language')}
      className={classes.language}
      data={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))}
      defaultValue={currentLanguage()}
      onChange={(event) => void switchLanguage(event.currentTarget.value as Language)}
    />
  );
}
