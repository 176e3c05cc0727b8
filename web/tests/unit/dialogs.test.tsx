import { MantineProvider } from '@mantine/core';
import { cleanup, render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import i18next from 'i18next';
import { I18nextProvider } from 'react-i18next';
import { afterEach, beforeAll, expect, it, vi } from 'vitest';

import { startTranslations } from '../../src/app/i18n';
import { ApiError } from '../../src/app/errors';
import { ConfirmDialog } from '../../src/ui/ConfirmDialog';

beforeAll(startTranslations);
afterEach(cleanup);

function show(onConfirm: () => Promise<unknown>, onClose = vi.fn()) {
  render(
    <I18nextProvider i18n={i18next}>
      <MantineProvider env="test">
        <ConfirmDialog opened onClose={onClose} question="Delete CRM?" verb="Delete" danger typed="crm" onConfirm={onConfirm}>
          Everything is lost.
        </ConfirmDialog>
      </MantineProvider>
    </I18nextProvider>,
  );
  return onClose;
}

it('deletes only after the name was typed', async () => {
  const onConfirm = vi.fn(async () => undefined);
  const onClose = show(onConfirm);
  const button = screen.getByRole('button', { name: 'Delete' });
  expect(button).toHaveProperty('disabled', true);
  await userEvent.type(screen.getByRole('textbox'), 'cr');
  expect(button).toHaveProperty('disabled', true);
  await userEvent.type(screen.getByRole('textbox'), 'm');
  await userEvent.click(button);
  expect(onConfirm).toHaveBeenCalledOnce();
  await waitFor(() => expect(onClose).toHaveBeenCalled());
});

it('stays open and says why when it did not work', async () => {
  const onClose = show(() => Promise.reject(new ApiError(409, [{ message: 'The app is being moved.', code: 'CONFLICT' }])));
  await userEvent.type(screen.getByRole('textbox'), 'crm{Enter}');
  expect(await screen.findByText('The app is being moved.')).toBeTruthy();
  expect(onClose).not.toHaveBeenCalled();
});
