import { Alert, Anchor, Button, Checkbox, Group, Stack, Tabs, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useRouter, useSearch } from '@tanstack/react-router';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { OIDC_TYPE, PASSWORD_TYPE, type SignInMethod, signInMethodsQuery } from '../../app/signInMethods';
import { CodeField } from './CodeField';
import { PasswordField } from './PasswordField';
import { ProviderButtons } from './ProviderButtons';
import { SignInFrame } from './SignInFrame';
import classes from './SignInPage.module.css';
import { useSignIn } from './useSignIn';

export function SignInPage() {
  const { t } = useTranslation('signin');
  const search = useSearch({ from: '/signin' });
  const { data: methods } = useQuery(signInMethodsQuery);
  const providers = methods?.filter((method) => method.authType === OIDC_TYPE) ?? [];
  const withPassword = methods?.filter((method) => method.authType === PASSWORD_TYPE) ?? [];
  const [chosen, choose] = useState<string | null>(null);
  const method = withPassword.find(({ name }) => name === chosen) ?? withPassword[0];
  return (
    <SignInFrame heading={(title) => t('title', { title })}>
      {withPassword.length > 1 && (
        <Tabs value={method?.name ?? null} onChange={choose} mb="md">
          <Tabs.List aria-label={t('methods')}>
            {withPassword.map(({ name, title }) => (
              <Tabs.Tab key={name} value={name}>
                {title || t('password')}
              </Tabs.Tab>
            ))}
          </Tabs.List>
        </Tabs>
      )}
      {/* Only a choice begins anew: what is typed while the ways to sign in are still on their way stays. */}
      {(method || !methods) && <SignInForm key={chosen} method={method} />}
      {providers.length > 0 && (
        <ProviderButtons methods={providers} redirect={search.redirect ?? '/admin'} divided={method !== undefined} />
      )}
    </SignInFrame>
  );
}

/** Name and password, then the code of an authenticator app where the account has one. */
function SignInForm({ method }: { method: SignInMethod | undefined }) {
  const { t } = useTranslation('signin');
  const router = useRouter();
  const search = useSearch({ from: '/signin' });
  const [account, setAccount] = useState('');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [remember, setRemember] = useState(true);
  const passwordField = useRef<HTMLInputElement>(null);
  const codeField = useRef<HTMLInputElement>(null);
  const { busy, problem, codeNeeded, submit, startOver } = useSignIn();

  const onSubmit = async (event: FormEvent) => {
    event.preventDefault();
    const result = await submit({ account: account.trim(), password, ...(codeNeeded ? { code } : {}) }, remember, method?.name);
    if (result === 'in') return router.navigate({ href: search.redirect ?? '/admin', replace: true });
    setCode('');
    if (result === 'code') return codeField.current?.focus();
    setPassword('');
    passwordField.current?.focus();
  };
  useEffect(() => {
    if (codeNeeded) codeField.current?.focus();
  }, [codeNeeded]);

  return (
    <form onSubmit={(event) => void onSubmit(event)}>
      <Stack gap="md">
        {problem && (
          <Alert color="red" variant="light" role="alert" className={classes.problem}>
            {problem}
          </Alert>
        )}
        {codeNeeded ? (
          <CodeField ref={codeField} value={code} onChange={setCode} description={t('codeHint')} />
        ) : (
          <>
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
            <Group justify="space-between" gap="xs">
              <Checkbox
                label={t('remember')}
                checked={remember}
                onChange={(event) => setRemember(event.currentTarget.checked)}
              />
              {method?.options.enableResetPassword && (
                <Anchor component={Link} to="/forgot-password" search={{ method: method.name } as never} size="sm">
                  {t('forgot.link')}
                </Anchor>
              )}
            </Group>
          </>
        )}
        <Button type="submit" loading={busy} fullWidth>
          {t('submit')}
        </Button>
        {codeNeeded && (
          <Button variant="default" fullWidth onClick={startOver}>
            {t('back')}
          </Button>
        )}
        {!codeNeeded && method?.options.allowSignUp && (
          <Text size="sm" ta="center">
            {t('noAccount')}{' '}
            <Anchor component={Link} to="/signup" search={{ method: method.name } as never} inherit underline="always">
              {t('signUp.link')}
            </Anchor>
          </Text>
        )}
      </Stack>
    </form>
  );
}
