import { Button, Group, NativeSelect, NumberInput, Stack, Switch, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { api } from '../../app/api';
import { PASSWORD_TYPE } from '../../app/signInMethods';
import { ErrorState } from '../../ui/ErrorState';
import { FormDrawer } from '../../ui/FormDrawer';
import { toast } from '../../ui/toasts';
import { type Authenticator, type PublicOptions } from './queries';

const FIELDS = ['username', 'email', 'nickname', 'phone'] as const;
const USUAL: Record<(typeof FIELDS)[number], Asked> = { username: 'required', email: 'asked', nickname: 'asked', phone: 'hidden' };
const ASKED = ['required', 'asked', 'hidden'] as const;
type Asked = (typeof ASKED)[number];

interface Props {
  /** Null for a new one. */
  authenticator: Authenticator | null;
  /** The highest position in use. */
  last: number;
  onClose: () => void;
  onSaved: () => Promise<void>;
}

/** Makes or changes a way to sign in with a password. */
export function AuthenticatorDrawer({ authenticator, last, onClose, onSaved }: Props) {
  const { t } = useTranslation(['account', 'ui']);
  const [error, setError] = useState<Error | null>(null);
  const given = authenticator?.options?.public ?? { allowSignUp: false };
  const form = useForm({
    initialValues: {
      title: authenticator?.title ?? '',
      name: authenticator?.name ?? '',
      sort: authenticator?.sort ?? last + 1,
      enabled: authenticator?.enabled ?? true,
      allowSignUp: given.allowSignUp === true,
      enableResetPassword: given.enableResetPassword !== false,
      ...askedOf(given),
    },
    validate: {
      title: (value) => (value.trim() || authenticator ? null : t('methods.nameNeeded')),
      name: (value) => (/^[A-Za-z0-9_-]{1,60}$/.test(value) ? null : t('methods.idWrong')),
      username: (value, values) =>
        values.allowSignUp && value !== 'required' && values.email !== 'required' ? t('methods.oneNeeded') : null,
    },
  });
  const save = async (): Promise<boolean> => {
    setError(null);
    if (form.validate().hasErrors) return false;
    const { title, name, sort, enabled, allowSignUp, enableResetPassword, ...rest } = form.values;
    const signupForm = FIELDS.map((field) => ({ field, show: rest[field] !== 'hidden', required: rest[field] === 'required' }));
    const values = {
      title: title.trim() || null,
      sort,
      enabled,
      options: { ...authenticator?.options, public: { ...given, allowSignUp, enableResetPassword, ...(allowSignUp ? { signupForm } : {}) } },
    };
    try {
      const resource = api.resource('authenticators');
      if (authenticator) await resource.update(authenticator.id, { id: authenticator.id, ...values });
      else await resource.create({ ...values, name, authType: PASSWORD_TYPE });
      await onSaved();
      toast.success(t('methods.saved'));
      return true;
    } catch (problem) {
      setError(problem as Error);
      return false;
    }
  };
  return (
    <FormDrawer
      opened
      onClose={onClose}
      size={560}
      dirty={form.isDirty()}
      onSave={save}
      title={authenticator ? authenticator.title || authenticator.name : t('methods.new')}
      footer={
        <Group justify="flex-end">
          <Button type="submit" form="authenticator-form">
            {t('ui:save')}
          </Button>
        </Group>
      }
    >
      <form
        id="authenticator-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void save().then((done) => done && onClose());
        }}
      >
        <Stack gap="md">
          {error && <ErrorState error={error} />}
          <TextInput label={t('methods.name')} description={t('methods.nameHint')} required={!authenticator} {...form.getInputProps('title')} />
          <TextInput label={t('methods.id')} description={t('methods.idHint')} disabled={authenticator !== null} required {...form.getInputProps('name')} />
          <NumberInput label={t('methods.sort')} min={1} max={999} {...form.getInputProps('sort')} />
          <Switch label={t('methods.enabled')} {...form.getInputProps('enabled', { type: 'checkbox' })} />
          <Switch label={t('methods.reset')} description={t('methods.resetHint')} {...form.getInputProps('enableResetPassword', { type: 'checkbox' })} />
          <Switch label={t('methods.allowSignUp')} {...form.getInputProps('allowSignUp', { type: 'checkbox' })} />
          {form.values.allowSignUp && (
            <Stack gap="xs" component="fieldset" style={{ border: 0, margin: 0, padding: 0 }}>
              <Text component="legend" size="sm" fw={500}>
                {t('methods.form')}
              </Text>
              {FIELDS.map((field) => (
                <NativeSelect
                  key={field}
                  label={t(`profile.${field}`)}
                  data={ASKED.map((value) => ({ value, label: t(`methods.asked.${value}`) }))}
                  {...form.getInputProps(field)}
                />
              ))}
            </Stack>
          )}
        </Stack>
      </form>
    </FormDrawer>
  );
}

/** What the sign-up form does with each field. */
function askedOf(options: PublicOptions): Record<(typeof FIELDS)[number], Asked> {
  if (!options.signupForm) return { ...USUAL };
  const found: Record<string, Asked> = {};
  for (const field of FIELDS) {
    const entry = options.signupForm.find((each) => each.field === field);
    found[field] = entry?.show ? (entry.required ? 'required' : 'asked') : 'hidden';
  }
  return { ...USUAL, ...found };
}
