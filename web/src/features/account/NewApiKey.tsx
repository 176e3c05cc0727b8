import { Alert, Button, Group, Modal, NativeSelect, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useAccount } from '../../app/account';
import { api } from '../../app/api';
import { boot } from '../../app/boot';
import { CopyText } from '../../ui/CopyText';
import { ErrorState } from '../../ui/ErrorState';
import classes from './account.module.css';
import { roleTitle } from './roleTitle';

const TIMES = ['1d', '7d', '30d', '90d', '180d', 'never'] as const;

interface Props {
  onClose: () => void;
  onMade: () => Promise<void>;
}

/** Asks what the key is for, then shows its token this one time. */
export function NewApiKey({ onClose, onMade }: Props) {
  const { t } = useTranslation('account');
  const [token, setToken] = useState<string | null>(null);
  return (
    <Modal
      opened
      onClose={onClose}
      title={t(token ? 'keys.made' : 'keys.new')}
      closeOnClickOutside={token === null}
      closeOnEscape={token === null}
      size="lg"
    >
      {token ? (
        <Token token={token} onClose={onClose} />
      ) : (
        <KeyForm
          onMade={async (made) => {
            setToken(made);
            await onMade();
          }}
        />
      )}
    </Modal>
  );
}

function KeyForm({ onMade }: { onMade: (token: string) => Promise<void> }) {
  const { t } = useTranslation('account');
  const roles = useAccount()?.roles ?? [];
  const [error, setError] = useState<Error | null>(null);
  const form = useForm({
    // The smallest of one's roles usually comes last; a key should not be able to do more than it needs.
    initialValues: { name: '', role: roles.at(-1)?.name ?? '', expiresIn: '90d' },
    validate: { name: (value) => (value.trim() ? null : t('keys.nameNeeded')) },
  });
  const make = async ({ name, role, expiresIn }: typeof form.values) => {
    setError(null);
    try {
      const body = { name: name.trim(), role: { name: role }, expiresIn };
      const { token } = await api.call<{ token: string }>('apiKeys:create', { body });
      await onMade(token);
    } catch (problem) {
      setError(problem as Error);
    }
  };
  return (
    <form onSubmit={form.onSubmit(make)} noValidate>
      <Stack gap="md">
        {error && <ErrorState error={error} />}
        <TextInput data-autofocus label={t('keys.name')} description={t('keys.nameHint')} maxLength={100} required {...form.getInputProps('name')} />
        <NativeSelect
          label={t('keys.role')}
          description={t('keys.roleHint')}
          data={roles.map(({ name, title }) => ({ value: name, label: roleTitle(title ?? name) }))}
          {...form.getInputProps('role')}
        />
        <NativeSelect
          label={t('keys.expires')}
          data={TIMES.map((value) => ({ value, label: t(`keys.times.${value}`) }))}
          {...form.getInputProps('expiresIn')}
        />
        {form.values.expiresIn === 'never' && (
          <Alert color="yellow" variant="light">
            {t('keys.neverText')}
          </Alert>
        )}
        <Group justify="flex-end">
          <Button type="submit" loading={form.submitting}>
            {t('keys.create')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Token({ token, onClose }: { token: string; onClose: () => void }) {
  const { t } = useTranslation('account');
  const address = new URL(`${boot.api}auth:check`, window.location.href).href;
  const curl = `curl -H "Authorization: Bearer ${token}" ${address}`;
  return (
    <Stack gap="md">
      <Alert color="yellow" variant="light">
        {t('keys.once')}
      </Alert>
      <Text component="pre" className={classes.code} ff="monospace" aria-label={t('keys.token')}>
        {token}
      </Text>
      <Text size="sm">{t('keys.try')}</Text>
      <Text component="pre" className={classes.code} ff="monospace">
        {curl}
      </Text>
      <Group justify="space-between">
        <Group gap="xs">
          <CopyText text={token} label={t('keys.copyToken')} />
          <CopyText text={curl} label={t('keys.copyCurl')} />
        </Group>
        <Button onClick={onClose}>{t('keys.kept')}</Button>
      </Group>
    </Stack>
  );
}
