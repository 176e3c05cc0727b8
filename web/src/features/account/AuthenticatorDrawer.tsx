import { Button, Group, NativeSelect, NumberInput, Stack, Switch, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { api } from '../../app/api';
import { OIDC_TYPE, PASSWORD_TYPE } from '../../app/signInMethods';
import { CopyText } from '../../ui/CopyText';
import { ErrorState } from '../../ui/ErrorState';
import { FormDrawer } from '../../ui/FormDrawer';
import { toast } from '../../ui/toasts';
import { callbackAddress } from '../signin/oidc';
import { PasswordField } from '../signin/PasswordField';
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

/** Makes or changes a way to sign in: with a password, or at an OpenID provider. */
export function AuthenticatorDrawer({ authenticator, last, onClose, onSaved }: Props) {
  const { t } = useTranslation(['account', 'ui']);
  const [error, setError] = useState<Error | null>(null);
  const given = authenticator?.options?.public ?? { allowSignUp: false };
  const provider = authenticator?.options?.oidc;
  const form = useForm({
    initialValues: {
      authType: authenticator?.authType ?? PASSWORD_TYPE,
      issuer: provider?.issuer ?? '',
      clientId: provider?.clientId ?? '',
      clientSecret: '',
      linkByEmail: provider?.linkByEmail === true,
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
      issuer: (value, values) =>
        values.authType !== OIDC_TYPE || /^https?:\/\/\S+$/.test(value.trim()) ? null : t('methods.issuerWrong'),
      clientId: (value, values) => (values.authType !== OIDC_TYPE || value.trim() ? null : t('methods.needed')),
      clientSecret: (value, values) => (values.authType !== OIDC_TYPE || provider || value ? null : t('methods.needed')),
      username: (value, values) =>
        values.authType === PASSWORD_TYPE && values.allowSignUp && value !== 'required' && values.email !== 'required' ? t('methods.oneNeeded') : null,
    },
  });
  const save = async (): Promise<boolean> => {
    setError(null);
    if (form.validate().hasErrors) return false;
    const { authType, title, name, sort, enabled, allowSignUp, enableResetPassword, ...rest } = form.values;
    const oidc = {
      issuer: rest.issuer.trim(),
      clientId: rest.clientId.trim(),
      clientSecret: rest.clientSecret || undefined,
      linkByEmail: rest.linkByEmail,
    };
    const signupForm = FIELDS.map((field) => ({ field, show: rest[field] !== 'hidden', required: rest[field] === 'required' }));
    const values = {
      title: title.trim() || null,
      sort,
      enabled,
      options:
        authType === OIDC_TYPE
          ? { ...authenticator?.options, oidc, public: { ...given, allowSignUp } }
          : { ...authenticator?.options, public: { ...given, allowSignUp, enableResetPassword, ...(allowSignUp ? { signupForm } : {}) } },
    };
    try {
      const resource = api.resource('authenticators');
      if (authenticator) await resource.update(authenticator.id, { id: authenticator.id, ...values });
      else await resource.create({ ...values, name, authType });
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
          {!authenticator && (
            <NativeSelect
              label={t('methods.type')}
              data={[PASSWORD_TYPE, OIDC_TYPE].map((value) => ({ value, label: t(`methods.types.${value}`) }))}
              {...form.getInputProps('authType')}
            />
          )}
          <TextInput label={t('methods.name')} description={t('methods.nameHint')} required={!authenticator} {...form.getInputProps('title')} />
          <TextInput label={t('methods.id')} description={t('methods.idHint')} disabled={authenticator !== null} required {...form.getInputProps('name')} />
          <NumberInput label={t('methods.sort')} min={1} max={999} {...form.getInputProps('sort')} />
          <Switch label={t('methods.enabled')} {...form.getInputProps('enabled', { type: 'checkbox' })} />
          {form.values.authType === OIDC_TYPE ? (
            <>
              <TextInput label={t('methods.issuer')} description={t('methods.issuerHint')} type="url" required {...form.getInputProps('issuer')} />
              <TextInput label={t('methods.clientId')} autoComplete="off" required {...form.getInputProps('clientId')} />
              <PasswordField
                label={t('methods.clientSecret')}
                description={provider ? t('methods.secretKept') : undefined}
                autoComplete="new-password"
                required={!provider}
                {...form.getInputProps('clientSecret')}
              />
              <div>
                <Text size="sm" fw={500}>
                  {t('methods.callback')}
                </Text>
                <Text size="sm" component="div" style={{ overflowWrap: 'anywhere' }}>
                  {callbackAddress()} <CopyText text={callbackAddress()} />
                </Text>
              </div>
              <Switch label={t('methods.linkByEmail')} description={t('methods.linkByEmailHint')} {...form.getInputProps('linkByEmail', { type: 'checkbox' })} />
            </>
          ) : (
            <Switch label={t('methods.reset')} description={t('methods.resetHint')} {...form.getInputProps('enableResetPassword', { type: 'checkbox' })} />
          )}
          <Switch label={t(form.values.authType === OIDC_TYPE ? 'methods.makeAccounts' : 'methods.allowSignUp')} {...form.getInputProps('allowSignUp', { type: 'checkbox' })} />
          {form.values.authType === PASSWORD_TYPE && form.values.allowSignUp && (
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
