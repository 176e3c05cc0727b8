import type { TFunction } from 'i18next';

import { ApiError } from '../app/errors';

/** One sentence for people. What the server says wins; lost connections and refusals get our own words. */
export function errorText(error: Error, t: TFunction): string {
  if (!(error instanceof ApiError)) return error.message;
  if (error.offline) return t('error.offline', { ns: 'ui' });
  if (error.status === 403) return t('error.forbidden', { ns: 'ui', message: error.message });
  if (error.status === 429) return t('error.tooMany', { ns: 'ui' });
  return error.items.map((item) => item.message).join(' ');
}

/** Plain text for a bug report. */
export function errorDetails(error: Error): string {
  if (!(error instanceof ApiError)) return `${error.name}: ${error.message}`;
  const lines = error.items.map((item) => [item.code, item.message, item.remedy].filter(Boolean).join(' - '));
  return [`HTTP ${error.status}`, ...lines, error.requestId ? `X-Request-Id: ${error.requestId}` : '']
    .filter(Boolean)
    .join('\n');
}
