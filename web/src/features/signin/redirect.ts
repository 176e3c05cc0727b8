/** A path inside this UI, or undefined: a link must not lead to another site after sign-in. */
export function safeRedirect(value: unknown): string | undefined {
  if (typeof value !== 'string' || !value.startsWith('/') || /^\/[/\\]/.test(value)) return undefined;
  return value.startsWith('/signin') ? undefined : value;
}
