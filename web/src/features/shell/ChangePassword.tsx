import { Button, Group, Modal, Stack } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { type Account, signIn } from '../../app/account';
import { api } from '../../app/api';
import { boot } from '../../app/boot';
import { ApiError } from '../../app/errors';
import { queryClient } from '../../app/queries';
import { isKept } from '../../app/storage';
import { ErrorState } from '../../ui/ErrorState';
import { toast } from '../../ui/toasts';
import { PasswordField } from '../signin/PasswordField';

interface Props {
  opened: boolean;
  onClose: () => void;
  account: Account | undefined;
}

export function ChangePassword(props: Props) {
  const { t } = useTranslation();
  return (
    <Modal opened={props.opened} onClose={props.onClose} title={t('password.title')} size="sm">
      <ChangePasswordForm {...props} />
    </Modal>
  );
}

function ignoreCode(error: unknown): void {
  if (!(error instanceof ApiError && error.code === 'SECOND_FACTOR_REQUIRED')) throw error;
}

function ChangePasswordForm({ onClose, account }: Props) {
  const { t } = useTranslation(['app', 'ui']);
  const [error, setError] = useState<Error | null>(null);
  const form = useForm({
    initialValues: { oldPassword: '', newPassword: '', confirmPassword: '' },
    validate: {
      oldPassword: (value) => (value ? null : t('password.needed')),
      newPassword: (value) => (value ? null : t('password.needed')),
      confirmPassword: (value, values) => (value === values.newPassword ? null : t('password.differs')),
    },
  });

  const save = async (values: typeof form.values) => {
    setError(null);
    try {
      await api.call('auth:changePassword', { body: values, quiet: true });
      // A new password ends all sessions, this one too: begin a new one before the next request fails. With a
      // second factor that needs a code, which the dialog of the next request asks for.
      const name = account?.username ?? account?.email;
      if (name) {
        await signIn({ account: name, password: values.newPassword }, isKept(`auth.${boot.app}.token`)).catch(ignoreCode);
      }
      await queryClient.invalidateQueries({ queryKey: ['sessions'] });
      toast.success(t('password.done'));
      onClose();
    } catch (problem) {
      setError(problem as Error);
    }
  };

  return (
    <form onSubmit={form.onSubmit(save)} noValidate>
      <Stack gap="md">
        {error && <ErrorState error={error} />}
        <PasswordField data-autofocus label={t('password.old')} required {...form.getInputProps('oldPassword')} />
        <PasswordField
          label={t('password.new')}
          autoComplete="new-password"
          required
          {...form.getInputProps('newPassword')}
        />
        <PasswordField
          label={t('password.confirm')}
          autoComplete="new-password"
          required
          {...form.getInputProps('confirmPassword')}
        />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            {t('ui:cancel')}
          </Button>
          <Button type="submit" loading={form.submitting}>
            {t('account.changePassword')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
