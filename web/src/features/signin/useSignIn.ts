import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { type Credentials, signIn } from '../../app/account';
import { ApiError } from '../../app/errors';
import { errorText } from '../../ui/errorText';

const CODE_NEEDED = 'SECOND_FACTOR_REQUIRED';
const CODE_WRONG = 'SECOND_FACTOR_WRONG';

/** How an attempt ended: signed in, a code is (still) needed, or it failed. */
export type Attempt = 'in' | 'code' | 'failed';

/** State of a sign-in form: sends, keeps the one sentence to show after a failure, knows when a code is needed. */
export function useSignIn() {
  const { t } = useTranslation('signin');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [codeNeeded, setCodeNeeded] = useState(false);

  const submit = async (credentials: Credentials, remember: boolean, method?: string): Promise<Attempt> => {
    setBusy(true);
    setProblem(null);
    try {
      await signIn(credentials, remember, method);
      return 'in';
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.code === CODE_NEEDED) {
        setCodeNeeded(true);
        return 'code';
      }
      const wait = error.status === 429 && error.retryAfter ? ` ${t('wait', { count: error.retryAfter })}` : '';
      setProblem(`${errorText(error, t)}${wait}`);
      if (error.code === CODE_WRONG) return 'code';
      setCodeNeeded(false);
      return 'failed';
    } finally {
      setBusy(false);
    }
  };

  /** Back to name and password. */
  const startOver = () => {
    setProblem(null);
    setCodeNeeded(false);
  };

  return { busy, problem, codeNeeded, submit, startOver };
}
