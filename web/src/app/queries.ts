import { onlineManager, QueryClient } from '@tanstack/react-query';

import { connection } from './connection';
import { ApiError } from './errors';

// Nothing is asked for without a connection; what is shown is asked for again when it is back.
onlineManager.setEventListener((tell) => connection.online.subscribe(tell));

/** Server state: one retry for lost connections; errors that the server gave on purpose are shown at once. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // Messages were missed meanwhile, however short it was.
      refetchOnReconnect: 'always',
      retry: (failures, error) => failures < 1 && error instanceof ApiError && (error.offline || error.status >= 502),
      retryDelay: 800,
    },
    // A change that cannot be sent fails at once, in front of who made it; it is not made later, unseen.
    mutations: { retry: false, networkMode: 'always' },
  },
});
