import { Button, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import i18next from 'i18next';

import { ApiError } from '../app/errors';
import { CopyText } from './CopyText';
import { errorDetails, errorText } from './errorText';

const UNDO_MS = 8_000;

export const toast = {
  success(message: string): void {
    notifications.show({ message, color: 'green', role: 'status' });
  },

  info(message: string, autoClose = 4_000): void {
    notifications.show({ message, autoClose, role: 'status' });
  },

  /** Stays until closed; has the code and a copy button. Silent for a 401 or a cancelled request. */
  error(error: unknown): void {
    const problem = error instanceof Error ? error : new Error(String(error));
    if (problem.name === 'AbortError') return;
    if (problem instanceof ApiError && (problem.status === 401 || problem.maintaining)) return;
    const remedy = problem instanceof ApiError ? problem.items[0]?.remedy : undefined;
    notifications.show({
      color: 'red',
      autoClose: false,
      role: 'alert',
      title: errorText(problem, i18next.t),
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
  },

  /** Shows `message` with Undo for 8 s; `commit` runs when the toast closes without it. */
  undo(message: string, actions: { commit: () => void; undo: () => void }): void {
    let undone = false;
    const id = notifications.show({
      autoClose: UNDO_MS,
      role: 'status',
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
  },
};
