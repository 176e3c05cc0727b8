/** Whether the server can be reached. What was loaded stays readable without; nothing is written meanwhile. */
import { useSyncExternalStore } from 'react';

import { boot } from './boot';
import { Watched } from './events';

const ASK_AGAIN_MS = 3_000;
const PATIENCE_MS = 5_000;

/** Any answer will do, that of a proxy in front of a stopped app too. */
async function isThere(): Promise<boolean> {
  try {
    await fetch(`${boot.api}__health_check`, { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS) });
    return true;
  } catch {
    // fetch rejects only when nothing came back.
    return false;
  }
}

export class Connection {
  readonly online = new Watched(navigator.onLine);
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asking = false;

  constructor(private readonly ask: () => Promise<boolean> = isThere) {}

  /** Follows what the browser says of its network. */
  start(): void {
    window.addEventListener('offline', () => this.lost());
    window.addEventListener('online', () => void this.check());
    if (!navigator.onLine) this.lost();
  }

  /** A request got no answer, or there is hope: asks the server, again and again until it answers. */
  async check(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    clearTimeout(this.timer);
    const answered = await this.ask();
    this.asking = false;
    if (answered) this.online.set(true);
    else this.lost();
  }

  private lost(): void {
    this.online.set(false);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.check(), ASK_AGAIN_MS);
  }
}

export const connection = new Connection();

export function useOnline(): boolean {
  return useSyncExternalStore(connection.online.subscribe, connection.online.get);
}
