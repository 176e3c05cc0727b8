import { queryOptions } from '@tanstack/react-query';

import { api } from './api';

export interface FormField {
  field: 'username' | 'email' | 'nickname' | 'phone';
  required: boolean;
}

/** A way to sign in, as everybody may know it. */
export interface SignInMethod {
  name: string;
  authType: string;
  authTypeTitle: string;
  title: string | null;
  options: { allowSignUp?: boolean; signupForm?: FormField[]; enableResetPassword?: boolean };
}

export const PASSWORD_TYPE = 'Email/Password';
export const OIDC_TYPE = 'OIDC';

export const signInMethodsQuery = queryOptions({
  queryKey: ['signInMethods'],
  queryFn: () => api.call<SignInMethod[]>('authenticators:publicList', { quiet: true }),
  staleTime: 60_000,
});
