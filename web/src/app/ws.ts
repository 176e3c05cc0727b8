import { useEffect, useRef, useSyncExternalStore } from 'react';

import { boot } from './boot';
import { connection } from './connection';
import { Watched } from './events';
import { session, type Session } from './session';

export interface LiveMessage {
  type: string;
  payload: unknown;
}

export type LiveState = 'connecting' | 'open' | 'closed';
type Handler = (payload: unknown) => void;

const PING_MS = 25_000;
const STEADY_MS = 10_000;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 20_000;

/** How long to wait before attempt `attempt` (from 0): doubles up to a limit, spread so that not all return at once. */
export function retryDelay(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempt);
  return ceiling / 2 + (ceiling / 2) * random();
}

function absolute(path: string): string {
  const url = new URL(path, window.location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

/** The one live connection of the page: authenticates, reconnects, hands each message to those who asked for its type. */
export class LiveSocket {
  readonly state = new Watched<LiveState>('closed');
  private socket: WebSocket | null = null;
  private attempt = 0;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private steadyTimer: ReturnType<typeof setTimeout> | undefined;
  private pingTimer: ReturnType<typeof setInterval> | undefined;
  private wanted = false;
  private unwatch: () => void = () => undefined;
  private readonly handlers = new Map<string, Set<Handler>>();

  constructor(
    private readonly path: string,
    private readonly session: Session,
  ) {
    session.changes.subscribe(() => this.authenticate());
  }

  start(): void {
    if (this.wanted) return;
    this.wanted = true;
    this.unwatch = connection.online.subscribe((online) => online && this.reconnectNow());
    this.connect();
  }

  stop(): void {
    this.wanted = false;
    this.unwatch();
    clearTimeout(this.retryTimer);
    this.socket?.close();
  }

  /** Calls `handler` with the payload of each message of `type`; returns how to end that. */
  on(type: string, handler: Handler): () => void {
    const group = this.handlers.get(type) ?? new Set<Handler>();
    group.add(handler);
    this.handlers.set(type, group);
    return () => group.delete(handler);
  }

  private reconnectNow(): void {
    if (this.socket) return;
    clearTimeout(this.retryTimer);
    this.attempt = 0;
    this.connect();
  }

  private connect(): void {
    if (!this.wanted || this.socket) return;
    this.state.set('connecting');
    const socket = new WebSocket(absolute(this.path));
    this.socket = socket;
    socket.addEventListener('open', () => {
      // A server may accept and close at once (an app that is stopped): only a connection that lasts counts.
      this.steadyTimer = setTimeout(() => {
        this.attempt = 0;
      }, STEADY_MS);
      this.state.set('open');
      this.authenticate();
      this.pingTimer = setInterval(() => socket.send('ping'), PING_MS);
    });
    socket.addEventListener('message', (event) => this.dispatch(String(event.data)));
    socket.addEventListener('close', () => {
      clearInterval(this.pingTimer);
      clearTimeout(this.steadyTimer);
      this.socket = null;
      this.state.set('closed');
      if (!this.wanted) return;
      this.retryTimer = setTimeout(() => this.connect(), retryDelay(this.attempt));
      this.attempt += 1;
    });
  }

  private authenticate(): void {
    const token = this.session.token;
    if (!token || this.socket?.readyState !== WebSocket.OPEN) return;
    this.socket.send(JSON.stringify({ type: 'auth:token', payload: { token, authenticator: 'basic' } }));
  }

  private dispatch(text: string): void {
    let message: LiveMessage;
    try {
      message = JSON.parse(text) as LiveMessage;
    } catch {
      // Plain text (such as a keep-alive of a proxy) carries nothing for us.
      return;
    }
    for (const handler of [...(this.handlers.get(message.type) ?? [])]) handler(message.payload);
  }
}

export const live = new LiveSocket(boot.ws, session);

/** Runs `handler` for each live message of `type` while the component is shown. */
export function useLive<T>(type: string, handler: (payload: T) => void): void {
  const latest = useRef(handler);
  useEffect(() => {
    latest.current = handler;
  });
  useEffect(() => live.on(type, (payload) => latest.current(payload as T)), [type]);
}

/** `open` while live messages arrive; screens poll otherwise. */
export function useLiveState(): LiveState {
  return useSyncExternalStore(live.state.subscribe, live.state.get);
}
