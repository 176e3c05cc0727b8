type Listener<T> = (value: T) => void;

/** A value that components can watch with `useSyncExternalStore`. */
export class Watched<T> {
  private readonly listeners = new Set<Listener<T>>();
  private current: T;

  constructor(initial: T) {
    this.current = initial;
  }

  readonly get = (): T => this.current;

  set(value: T): void {
    if (Object.is(value, this.current)) return;
    this.current = value;
    for (const listener of [...this.listeners]) listener(value);
  }

  readonly subscribe = (listener: Listener<T>): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
}
