import { Anchor, Center, Loader, Stack } from '@mantine/core';
import { Link, useRouter, useSearch } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { ErrorState } from '../../ui/ErrorState';
import { finishOidc } from '../signin/oidc';
import { SignInFrame } from '../signin/SignInFrame';

/** Where a provider sends the browser back to. */
export function CallbackPage() {
  const { t } = useTranslation('signin');
  const router = useRouter();
  const { code, state, error: refusal } = useSearch({ from: '/signin/callback' });
  const [error, setError] = useState<Error | null>(null);
  const begun = useRef(false);
  useEffect(() => {
    // A code is good once, and effects may run twice.
    if (begun.current) return;
    begun.current = true;
    const finish = async () => {
      if (!code || !state) throw new Error(refusal === 'access_denied' ? t('provider.denied') : t('provider.strange'));
      const target = await finishOidc({ code, state });
      if (target === null) throw new Error(t('provider.strange'));
      await router.navigate({ href: target, replace: true });
    };
    finish().catch((problem: unknown) => setError(problem as Error));
  }, [code, state, refusal, router, t]);
  return (
    <SignInFrame heading={(title) => t('title', { title })}>
      <Stack gap="md">
        {error ? (
          <ErrorState error={error} />
        ) : (
          <Center>
            <Loader size="sm" aria-label={t('provider.finishing')} />
          </Center>
        )}
        {error && (
          <Anchor component={Link} to="/signin" size="sm" ta="center">
            {t('forgot.back')}
          </Anchor>
        )}
      </Stack>
    </SignInFrame>
  );
}
