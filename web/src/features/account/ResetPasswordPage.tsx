import { Anchor, Button, Stack } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { api } from '../../app/api';
import { session } from '../../app/session';
import { ErrorState } from '../../ui/ErrorState';
import { toast } from '../../ui/toasts';
import { PasswordField } from '../signin/PasswordField';
import { SignInFrame } from '../signin/SignInFrame';

/** Where the link of the mail leads: a new password, once. */
export function ResetPasswordPage() {
  const { t } = useTranslation('signin');
  const { resetToken = '' } = useSearch({ from: '/reset-password' });
  const { error, isSuccess } = useQuery({
    queryKey: ['resetToken', resetToken],
    queryFn: () => api.call('auth:checkResetToken', { body: { resetToken }, quiet: true }),
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <SignInFrame heading={(title) => t('reset.title', { title })}>
      <Stack gap="md">
        {error && <ErrorState error={error} />}
        {error && (
          <Button component={Link} to="/forgot-password" variant="default" fullWidth>
            {t('reset.again')}
          </Button>
        )}
        {isSuccess && <NewPasswordForm resetToken={resetToken} />}
        <Anchor component={Link} to="/signin" size="sm" ta="center">
          {t('forgot.back')}
        </Anchor>
      </Stack>
    </SignInFrame>
  );
}

function NewPasswordForm({ resetToken }: { resetToken: string }) {
  const { t } = useTranslation(['signin', 'app']);
  const navigate = useNavigate();
  const [error, setError] = useState<Error | null>(null);
  const form = useForm({
    initialValues: { password: '', again: '' },
    validate: {
      password: (value) => (value ? null : t('app:password.needed')),
      again: (value, values) => (value === values.password ? null : t('app:password.differs')),
    },
  });
  const send = async ({ password }: typeof form.values) => {
    setError(null);
    try {
      await api.call('auth:resetPassword', { body: { resetToken, password }, quiet: true });
      // All sessions of the account have ended, and one that is kept here may be one of them.
      session.end();
      toast.success(t('reset.done'));
      await navigate({ to: '/signin', replace: true });
    } catch (problem) {
      setError(problem as Error);
    }
  };
  return (
    <form onSubmit={form.onSubmit(send)} noValidate>
      <Stack gap="md">
        {error && <ErrorState error={error} />}
        <PasswordField label={t('app:password.new')} autoComplete="new-password" autoFocus required {...form.getInputProps('password')} />
        <PasswordField label={t('app:password.confirm')} autoComplete="new-password" required {...form.getInputProps('again')} />
        <Button type="submit" loading={form.submitting} fullWidth>
          {t('reset.submit')}
        </Button>
      </Stack>
    </form>
  );
}
