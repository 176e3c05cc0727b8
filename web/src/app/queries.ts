import { QueryClient } from '@tanstack/react-query';

import { ApiError } from './errors';

/** Server state: one retry for lost connections; errors that the server gave on purpose are shown at once. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (failures, error) => failures < 1 && error instanceof ApiError && (error.offline || error.status >= 502),
      retryDelay: 800,
    },
    mutations: { retry: false },
  },
});
