import { Alert, Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { Account } from '../../app/account';
import { boot } from '../../app/boot';
import { queryClient } from '../../app/queries';
import { session, type SessionPrompt } from '../../app/session';
import { isKept } from '../../app/storage';
import { CodeField } from './CodeField';
import { PasswordField } from './PasswordField';
import { useSignIn } from './useSignIn';

/** Asks for the password over the screen; afterwards the failed requests repeat and nothing typed is lost. */
export default function SessionDialog({ prompt }: { prompt: SessionPrompt }) {
  const { t } = useTranslation('signin');
  const known = queryClient.getQueryData<Account>(['account']);
  const name = known?.username ?? known?.email ?? '';
  const [account, setAccount] = useState(name);
  const [password, setPassword] = useState('');
  const passwordField = useRef<HTMLInputElement>(null);
  const [code, setCode] = useState('');
  const { busy, problem, codeNeeded, submit } = useSignIn();

  const onSubmit = async (event: FormEvent) => {
    event.preventDefault();
    const credentials = { account, password, ...(codeNeeded ? { code } : {}) };
    const result = await submit(credentials, isKept(`auth.${boot.app}.token`));
    if (result === 'in') return prompt.settle(true);
    setCode('');
    if (result === 'code') return;
    setPassword('');
    passwordField.current?.focus();
  };

  const leave = () => {
    session.end();
    prompt.settle(false);
    const here = window.location.pathname.slice(boot.basePath.length) + window.location.search;
    window.location.assign(`${boot.basePath}/signin?redirect=${encodeURIComponent(here)}`);
  };

  return (
    <Modal
      opened
      onClose={() => undefined}
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      title={t('again.title')}
      size="sm"
      zIndex={1000}
    >
      <form onSubmit={(event) => void onSubmit(event)}>
        <Stack gap="md">
          <Text size="sm">{t('again.text')}</Text>
          {problem && (
            <Alert color="red" variant="light" role="alert">
              {problem}
            </Alert>
          )}
          <TextInput
            label={t('account')}
            name="username"
            autoComplete="username"
            readOnly={name !== ''}
            value={account}
            required
            withAsterisk={false}
            onChange={(event) => setAccount(event.currentTarget.value)}
          />
          <PasswordField
            ref={passwordField}
            label={t('password')}
            name="password"
            required
            data-autofocus
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          {codeNeeded && <CodeField value={code} onChange={setCode} description={t('codeHint')} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={leave}>
              {t('again.leave')}
            </Button>
            <Button type="submit" loading={busy}>
              {t('submit')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
