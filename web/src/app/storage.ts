/** Browser storage that may be forbidden (private windows, policies): then values live as long as the page. */
const memory = new Map<string, string>();

function guarded<T>(action: () => T, fallback: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof DOMException) return fallback();
    throw error;
  }
}

export function readStored(key: string): string | null {
  return guarded(
    () => localStorage.getItem(key) ?? sessionStorage.getItem(key),
    () => memory.get(key) ?? null,
  );
}

/** `keep: false` forgets the value when the browser tab closes. */
export function writeStored(key: string, value: string, keep = true): void {
  removeStored(key);
  guarded<unknown>(
    () => (keep ? localStorage : sessionStorage).setItem(key, value),
    () => memory.set(key, value),
  );
}

export function removeStored(key: string): void {
  memory.delete(key);
  guarded(
    () => {
      localStorage.removeItem(key);
      sessionStorage.removeItem(key);
    },
    () => undefined,
  );
}

/** The keys that begin with `prefix`. */
export function storedKeys(prefix: string): string[] {
  const keys = guarded(
    () => Object.keys(localStorage),
    () => [...memory.keys()],
  );
  return keys.filter((key) => key.startsWith(prefix));
}

/** Whether `key` is remembered beyond this browser tab. */
export function isKept(key: string): boolean {
  return guarded(
    () => localStorage.getItem(key) !== null,
    () => false,
  );
}
