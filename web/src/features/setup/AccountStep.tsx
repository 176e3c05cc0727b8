import { SimpleGrid, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { type Account, accountQuery, signIn } from '../../app/account';
import { api } from '../../app/api';
import { boot } from '../../app/boot';
import { queryClient } from '../../app/queries';
import { isKept } from '../../app/storage';
import { PasswordField } from '../signin/PasswordField';
import { StepForm } from './StepForm';

const PASSWORD_LENGTH = 8;

interface Props {
  account: Account;
  onDone: () => void;
}

/** The generated account becomes the person's own. */
export function AccountStep({ account, onDone }: Props) {
  const { t } = useTranslation('setup');
  const [error, setError] = useState<Error | null>(null);
  const form = useForm({
    initialValues: {
      nickname: account.nickname ?? '',
      username: account.username ?? '',
      email: account.email ?? '',
      password: '',
      again: '',
    },
    validate: {
      username: (value) => (/^[^@<>"'/]{1,50}$/.test(value.trim()) ? null : t('account.usernameRule')),
      email: (value) => (!value.trim() || /^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(value.trim()) ? null : t('account.emailRule')),
      password: (value) => (value && value.length < PASSWORD_LENGTH ? t('account.passwordRule', { count: PASSWORD_LENGTH }) : null),
      again: (value, values) => (value === values.password ? null : t('account.differs')),
    },
  });

  const save = async (values: typeof form.values) => {
    setError(null);
    const username = values.username.trim();
    const { password } = values;
    const body = {
      nickname: values.nickname.trim() || username,
      username,
      email: values.email.trim() || null,
      ...(password ? { password } : {}),
    };
    try {
      await api.resource('users').action('update', { key: account.id, body, quiet: true });
      // A new password ends all sessions, this one too.
      if (password) await signIn({ account: username, password }, isKept(`auth.${boot.app}.token`));
      await queryClient.invalidateQueries({ queryKey: accountQuery.queryKey });
      onDone();
    } catch (problem) {
      setError(problem as Error);
    }
  };

  return (
    <StepForm
      about={t('account.about')}
      error={error}
      busy={form.submitting}
      verb={t('saveStep')}
      onSubmit={() => form.onSubmit(save)()}
      onSkip={onDone}
    >
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <TextInput data-autofocus label={t('account.nickname')} autoComplete="name" {...form.getInputProps('nickname')} />
        <TextInput withAsterisk label={t('account.username')} autoComplete="username" {...form.getInputProps('username')} />
      </SimpleGrid>
      <TextInput label={t('account.email')} type="email" autoComplete="email" {...form.getInputProps('email')} />
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <PasswordField
          label={t('account.password')}
          description={t('account.passwordHint')}
          autoComplete="new-password"
          {...form.getInputProps('password')}
        />
        <PasswordField
          label={t('account.again')}
          description={t('account.againHint')}
          autoComplete="new-password"
          {...form.getInputProps('again')}
        />
      </SimpleGrid>
    </StepForm>
  );
}
