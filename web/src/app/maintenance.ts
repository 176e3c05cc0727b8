import { lifecycle } from './lifecycle';
import { queryClient } from './queries';
import { live } from './ws';

interface MaintainingMessage {
  code: string;
  message: string;
  maintaining: boolean;
  /** The server changed so much that the page must load again. */
  refresh?: boolean;
}

/** The app answers again: shows the screen that was hidden, with fresh data. */
export function leaveMaintenance(): void {
  if (lifecycle.maintenance.get() === null) return;
  lifecycle.clear();
  void queryClient.invalidateQueries();
}

/** Follows what the server says about the state of this page's app over the socket. */
export function watchMaintenance(): void {
  live.on('maintaining', (payload) => {
    const message = payload as MaintainingMessage;
    if (message.refresh) {
      window.location.reload();
    } else if (message.maintaining) {
      lifecycle.set(message.code, message.message);
    } else {
      leaveMaintenance();
    }
  });
}
