import { Button, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import i18next from 'i18next';

import { ApiError } from '../app/errors';
import { announce, announceError } from './announce';
import { CopyText } from './CopyText';
import { errorDetails, errorText } from './errorText';

/** The live regions say what a toast shows; read out by both, it would be heard twice. */
export const QUIET = { role: 'group' } as const;

const UNDO_MS = 8_000;

/** Something was to be changed without a connection. */
export function sayOffline(): void {
  toast.info(i18next.t('offline.reason', { ns: 'ui' }));
}

export const toast = {
  success(message: string): void {
    notifications.show({ message, color: 'green', ...QUIET });
    announce(message);
  },

  info(message: string, autoClose = 4_000): void {
    notifications.show({ message, autoClose, ...QUIET });
    announce(message);
  },

  /** Stays until closed; has the code and a copy button. Silent for a 401 or a cancelled request. */
  error(error: unknown): void {
    const problem = error instanceof Error ? error : new Error(String(error));
    if (problem.name === 'AbortError') return;
    if (problem instanceof ApiError && (problem.status === 401 || problem.maintaining)) return;
    const title = errorText(problem, i18next.t);
    const remedy = problem instanceof ApiError ? problem.items[0]?.remedy : undefined;
    notifications.show({
      color: 'red',
      autoClose: false,
      ...QUIET,
      title,
      message: (
        <>
          {remedy && (
            <Text size="sm" mb={6}>
              {remedy}
            </Text>
          )}
          <CopyText text={errorDetails(problem)} label={i18next.t('error.copyDetails', { ns: 'ui' })} />
        </>
      ),
    });
    announceError(remedy ? `${title} ${remedy}` : title);
  },

  /** Shows `message` with Undo for 8 s; `commit` runs when the toast closes without it. */
  undo(message: string, actions: { commit: () => void; undo: () => void }): void {
    let undone = false;
    const id = notifications.show({
      autoClose: UNDO_MS,
      ...QUIET,
      message: (
        <>
          {message}{' '}
          <Button
            size="compact-sm"
            variant="light"
            onClick={() => {
              undone = true;
              notifications.hide(id);
              actions.undo();
            }}
          >
            {i18next.t('undo', { ns: 'ui' })}
          </Button>
        </>
      ),
      onClose: () => {
        if (!undone) actions.commit();
      },
    });
    announce(`${message} ${i18next.t('undo', { ns: 'ui' })}`);
  },
};
