import { MantineProvider } from '@mantine/core';
import { cleanup, createEvent, fireEvent, render, screen } from '@testing-library/react';
import i18next from 'i18next';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';

import { startTranslations } from '../../app/i18n';
import { PasswordField } from './PasswordField';

beforeAll(async () => {
  await startTranslations();
  await i18next.loadNamespaces('signin');
});
afterEach(cleanup);

function press(field: HTMLElement, kind: 'keyDown' | 'keyUp', capsLock: boolean) {
  const event = createEvent[kind](field, { key: 'CapsLock' });
  Object.defineProperty(event, 'getModifierState', { value: (key: string) => capsLock && key === 'CapsLock' });
  fireEvent(field, event);
}

describe('PasswordField', () => {
  it.each(['keyDown', 'keyUp'] as const)('says that caps lock is on, known from %s, until the field is left', (kind) => {
    render(
      <MantineProvider env="test">
        <PasswordField label="Password" description="At least 8 characters" />
      </MantineProvider>,
    );
    const field = screen.getByLabelText('Password');
    press(field, kind, true);
    expect(screen.getByText('Caps lock is on.')).toBeTruthy();
    press(field, kind, false);
    expect(screen.queryByText('Caps lock is on.')).toBeNull();
    expect(screen.getByText('At least 8 characters')).toBeTruthy();
    press(field, kind, true);
    fireEvent.blur(field);
    expect(screen.queryByText('Caps lock is on.')).toBeNull();
  });
});
