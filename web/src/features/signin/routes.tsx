import { createRoute, lazyRouteComponent, redirect } from '@tanstack/react-router';

import { rootRoute } from '../../app/baseRoutes';
import { session } from '../../app/session';
import { safeRedirect } from './redirect';

const startRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/admin', replace: true });
  },
});

const signinRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/signin',
  validateSearch: (search: Record<string, unknown>): { redirect?: string } => {
    const target = safeRedirect(search.redirect);
    return target ? { redirect: target } : {};
  },
  beforeLoad: ({ search }) => {
    if (session.token !== null) throw redirect({ href: search.redirect ?? '/admin', replace: true });
  },
  component: lazyRouteComponent(() => import('./SignInPage'), 'SignInPage'),
});

/** The authenticator that a screen was opened from. */
const parseMethod = (search: Record<string, unknown>): { method?: string } =>
  typeof search.method === 'string' ? { method: search.method } : {};

const signupRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/signup',
  validateSearch: parseMethod,
  component: lazyRouteComponent(() => import('../account/SignUpPage'), 'SignUpPage'),
});

const forgotRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/forgot-password',
  validateSearch: parseMethod,
  component: lazyRouteComponent(() => import('../account/ForgotPasswordPage'), 'ForgotPasswordPage'),
});

const resetRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/reset-password',
  // A token of digits only would arrive as a number.
  validateSearch: (search: Record<string, unknown>): { resetToken?: string } =>
    search.resetToken === undefined ? {} : { resetToken: String(search.resetToken) },
  component: lazyRouteComponent(() => import('../account/ResetPasswordPage'), 'ResetPasswordPage'),
});

const callbackRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/signin/callback',
  // What consists of digits only would arrive as a number.
  validateSearch: (search: Record<string, unknown>): { code?: string; state?: string; error?: string } =>
    Object.fromEntries(
      ['code', 'state', 'error'].flatMap((name) => (search[name] === undefined ? [] : [[name, String(search[name])]])),
    ),
  component: lazyRouteComponent(() => import('../account/CallbackPage'), 'CallbackPage'),
});

export const signinRoutes = [startRoute, callbackRoute, signinRoute, signupRoute, forgotRoute, resetRoute] as const;
