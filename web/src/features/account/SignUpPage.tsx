import { Anchor, Button, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { signIn } from '../../app/account';
import { api } from '../../app/api';
import { type SignInMethod, signInMethodsQuery } from '../../app/signInMethods';
import { ErrorState } from '../../ui/ErrorState';
import { toast } from '../../ui/toasts';
import { PasswordField } from '../signin/PasswordField';
import { SignInFrame } from '../signin/SignInFrame';

const COMPLETION = { username: 'username', email: 'email', nickname: 'name', phone: 'tel' } as const;

/** An account of one's own, where an authenticator allows it. */
export function SignUpPage() {
  const { t } = useTranslation('signin');
  const { method: wanted } = useSearch({ from: '/signup' });
  const { data, error, refetch } = useQuery(signInMethodsQuery);
  const open = data?.filter((method) => method.options.allowSignUp) ?? [];
  const method = open.find(({ name }) => name === wanted) ?? open[0];
  return (
    <SignInFrame heading={(title) => t('signUp.title', { title })}>
      <Stack gap="md">
        {error && <ErrorState error={error} onRetry={() => void refetch()} />}
        {data && !method && <Text size="sm">{t('signUp.closed')}</Text>}
        {method && <SignUpForm method={method} />}
        <Anchor component={Link} to="/signin" size="sm" ta="center">
          {t('signUp.back')}
        </Anchor>
      </Stack>
    </SignInFrame>
  );
}

function SignUpForm({ method }: { method: SignInMethod }) {
  const { t } = useTranslation(['signin', 'app']);
  const navigate = useNavigate();
  const [error, setError] = useState<Error | null>(null);
  const fields = method.options.signupForm ?? [];
  const form = useForm<Record<string, string>>({
    initialValues: { ...Object.fromEntries(fields.map(({ field }) => [field, ''])), password: '', confirm_password: '' },
    validate: {
      ...Object.fromEntries(
        fields.filter(({ required }) => required).map(({ field }) => [field, (value: string) => (value.trim() ? null : t('signUp.needed'))]),
      ),
      password: (value) => (value ? null : t('app:password.needed')),
      confirm_password: (value, values) => (value === values.password ? null : t('app:password.differs')),
    },
  });

  const send = async (values: Record<string, string>) => {
    setError(null);
    const headers = { 'X-Authenticator': method.name };
    try {
      await api.call('auth:signUp', { body: values, headers, quiet: true });
      const account = (values.username || values.email || '').trim();
      await signIn({ account, password: values.password ?? '' }, true, method.name);
      toast.success(t('signUp.done'));
      await navigate({ to: '/admin', replace: true });
    } catch (problem) {
      setError(problem as Error);
    }
  };

  return (
    <form onSubmit={form.onSubmit(send)} noValidate>
      <Stack gap="md">
        {error && <ErrorState error={error} />}
        {fields.map(({ field, required }, index) => (
          <TextInput
            key={field}
            label={t(`signUp.${field}`)}
            type={field === 'email' ? 'email' : field === 'phone' ? 'tel' : 'text'}
            autoComplete={COMPLETION[field]}
            autoFocus={index === 0}
            required={required}
            {...form.getInputProps(field)}
          />
        ))}
        <PasswordField label={t('password')} autoComplete="new-password" required {...form.getInputProps('password')} />
        <PasswordField
          label={t('passwordAgain')}
          autoComplete="new-password"
          required
          {...form.getInputProps('confirm_password')}
        />
        <Button type="submit" loading={form.submitting} fullWidth>
          {t('signUp.submit')}
        </Button>
      </Stack>
    </form>
  );
}
