import { Button, Divider, Stack } from '@mantine/core';
import { IconLogin2 } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { SignInMethod } from '../../app/signInMethods';
import { ErrorState } from '../../ui/ErrorState';
import { beginOidc } from './oidc';

interface Props {
  methods: SignInMethod[];
  redirect: string;
  /** There is a form above. */
  divided: boolean;
}

/** A button for each provider that people sign in at. */
export function ProviderButtons({ methods, redirect, divided }: Props) {
  const { t } = useTranslation('signin');
  const [busy, setBusy] = useState<string | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const begin = async (name: string) => {
    setBusy(name);
    setError(null);
    try {
      await beginOidc(name, redirect);
    } catch (problem) {
      setError(problem as Error);
      setBusy(null);
    }
  };
  return (
    <Stack gap="sm" mt={divided ? 'md' : 0}>
      {divided && <Divider label={t('provider.or')} />}
      {error && <ErrorState error={error} />}
      {methods.map(({ name, title, authTypeTitle }) => (
        <Button
          key={name}
          variant="default"
          fullWidth
          leftSection={<IconLogin2 size={18} aria-hidden />}
          loading={busy === name}
          disabled={busy !== null}
          onClick={() => void begin(name)}
        >
          {t('provider.with', { title: title || authTypeTitle })}
        </Button>
      ))}
    </Stack>
  );
}
