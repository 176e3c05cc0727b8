import { boot } from './boot';
import type { ApiError } from './errors';
import { Watched } from './events';
import { isKept, readStored, removeStored, writeStored } from './storage';

export interface SessionPrompt {
  reason: string | undefined;
  /** Ends the prompt: true repeats the failed requests, false gives them up. */
  settle: (signedInAgain: boolean) => void;
}

/** The sign-in of one app in this browser. Each app has its own, so two apps on one address do not mix. */
export class Session {
  /** Set while the person must sign in again; the dialog shows it. */
  readonly prompt = new Watched<SessionPrompt | null>(null);
  /** Increases with every change of the token; the socket authenticates anew. */
  readonly changes = new Watched(0);
  private pending: Promise<boolean> | null = null;

  constructor(private readonly app: string) {}

  private get key(): string {
    return `auth.${this.app}.token`;
  }

  get token(): string | null {
    return readStored(this.key);
  }

  start(token: string, remember: boolean): void {
    writeStored(this.key, token, remember);
    this.changes.set(this.changes.get() + 1);
  }

  /** Takes a token that the server renewed, with the same memory as the one before. */
  replace(token: string): void {
    this.start(token, isKept(this.key));
  }

  end(): void {
    removeStored(this.key);
    this.changes.set(this.changes.get() + 1);
  }

  /** Asks to sign in again after a 401; all requests that fail meanwhile share one dialog. */
  renew(error: ApiError): Promise<boolean> {
    if (this.token === null) return Promise.resolve(false);
    this.pending ??= new Promise<boolean>((resolve) => {
      this.prompt.set({
        reason: error.code,
        settle: (signedInAgain) => {
          this.pending = null;
          this.prompt.set(null);
          resolve(signedInAgain);
        },
      });
    });
    return this.pending;
  }
}

export function sessionOf(app: string): Session {
  return app === boot.app ? session : new Session(app);
}

export const session = new Session(boot.app);
