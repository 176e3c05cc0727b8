import { Alert, Anchor, Button, Stack, Text, TextInput } from '@mantine/core';
import { Link, useSearch } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { api } from '../../app/api';
import { boot } from '../../app/boot';
import { ErrorState } from '../../ui/ErrorState';
import { SignInFrame } from '../signin/SignInFrame';

/** Asks for a mail with a link. The answer is the same whether or not there is such an account. */
export function ForgotPasswordPage() {
  const { t } = useTranslation('signin');
  const { method = 'basic' } = useSearch({ from: '/forgot-password' });
  const [email, setEmail] = useState('');
  const [busy, setBusy] = useState(false);
  const [sent, setSent] = useState(false);
  const [error, setError] = useState<Error | null>(null);

  const send = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const body = { email: email.trim(), baseURL: `${window.location.origin}${boot.basePath}` };
      await api.call('auth:lostPassword', { body, headers: { 'X-Authenticator': method }, quiet: true });
      setSent(true);
    } catch (problem) {
      setError(problem as Error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <SignInFrame heading={() => t('forgot.title')}>
      <Stack gap="md">
        {sent ? (
          <Alert color="green" variant="light" role="status">
            {t('forgot.sent', { email: email.trim() })}
          </Alert>
        ) : (
          <form onSubmit={(event) => void send(event)}>
            <Stack gap="md">
              {error && <ErrorState error={error} />}
              <Text size="sm">{t('forgot.text')}</Text>
              <TextInput
                label={t('signUp.email')}
                type="email"
                name="email"
                autoComplete="email"
                autoFocus
                required
                withAsterisk={false}
                value={email}
                onChange={(event) => setEmail(event.currentTarget.value)}
              />
              <Button type="submit" loading={busy} fullWidth>
                {t('forgot.submit')}
              </Button>
            </Stack>
          </form>
        )}
        <Anchor component={Link} to="/signin" size="sm" ta="center">
          {t('forgot.back')}
        </Anchor>
      </Stack>
    </SignInFrame>
  );
}
