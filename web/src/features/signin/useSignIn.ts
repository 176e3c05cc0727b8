import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { type Credentials, signIn } from '../../app/account';
import { ApiError } from '../../app/errors';
import { errorText } from '../../ui/errorText';

/** State of a sign-in form: sends, keeps the one sentence to show after a failure. */
export function useSignIn() {
  const { t } = useTranslation('signin');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  /** Resolves to whether the person is signed in now. */
  const submit = async (credentials: Credentials, remember: boolean): Promise<boolean> => {
    setBusy(true);
    setProblem(null);
    try {
      await signIn(credentials, remember);
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const wait = error.status === 429 && error.retryAfter ? ` ${t('wait', { count: error.retryAfter })}` : '';
      setProblem(`${errorText(error, t)}${wait}`);
      return false;
    } finally {
      setBusy(false);
    }
  };

  return { busy, problem, submit };
}
