import type { ApiError } from './errors';
import { Watched } from './events';

export interface Maintenance {
  /** Code of the gateway: APP_INITIALIZING, APP_STOPPED, APP_NOT_FOUND … */
  code: string;
  message: string;
  /** Milliseconds since 1970 when the app was first seen not answering. */
  since: number;
}

/** Whether the app of this page answers requests; the waiting page shows itself while `maintenance` is set. */
class Lifecycle {
  readonly maintenance = new Watched<Maintenance | null>(null);

  report(error: ApiError): void {
    this.set(error.code ?? 'APP_ERROR', error.message);
  }

  set(code: string, message: string): void {
    const before = this.maintenance.get();
    if (before?.code === code && before.message === message) return;
    this.maintenance.set({ code, message, since: before?.since ?? Date.now() });
  }

  clear(): void {
    this.maintenance.set(null);
  }
}

export const lifecycle = new Lifecycle();
