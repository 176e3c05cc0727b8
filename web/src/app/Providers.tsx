import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';

import { Announcements } from '../ui/announce';
import { styleNonce } from './boot';
import { queryClient } from './queries';
import { router } from './router';
import { cssVariables, themeFor } from './theme';

const schemeManager = localStorageColorSchemeManager({ key: 'atoll.color-scheme' });

/** What every component may use: theme, server state, dialogs, toasts, routes. */
export function Providers() {
  const { t } = useTranslation('ui');
  const close = t('close');
  const theme = useMemo(() => themeFor({ close }), [close]);
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      defaultColorScheme="auto"
      colorSchemeManager={schemeManager}
      getStyleNonce={styleNonce}
    >
      <QueryClientProvider client={queryClient}>
        <Announcements />
        <Notifications position="bottom-right" limit={4} />
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  );
}
