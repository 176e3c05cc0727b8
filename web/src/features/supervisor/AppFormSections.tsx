import { Code, Group, Input, NumberInput, PasswordInput, Radio, Stack, Switch, Text, Textarea, TextInput } from '@mantine/core';
import { IconCircleCheck, IconCircleX, IconLock } from '@tabler/icons-react';
import { type ReactNode, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';

import classes from './AppFormSections.module.css';
import { type AdminMode, type AppValues, isFreeName, nameFrom, randomName } from './applicationForm';
import { ConnectionTest } from './ConnectionTest';
import { DomainCheck } from './DomainCheck';
import { EnvironmentPicker } from './EnvironmentPicker';
import { IconInput } from './IconInput';
import type { DatabaseMode, Finding } from './model';
import { RotateSecret } from './RotateSecret';
import { TemplateChoice } from './TemplateChoice';
import type { AppForm } from './useAppForm';
import { useDatabaseModes } from './useDatabaseModes';

interface Props {
  form: AppForm;
}

function Section({ number, title, children }: { number: number; title: string; children: ReactNode }) {
  const id = useId();
  return (
    <section aria-labelledby={id} className={classes.section}>
      <span className={classes.number} aria-hidden>
        {number}
      </span>
      <div className={classes.body}>
        <h3 id={id} className={classes.heading}>
          {title}
        </h3>
        <Stack gap="md">{children}</Stack>
      </div>
    </section>
  );
}

/** All inputs for a new app. */
export function CreateSections({ form, taken }: Props & { taken: string[] }) {
  const { t } = useTranslation('supervisor');
  return (
    <>
      <Section number={1} title={t('section.basics')}>
        <Basics form={form} taken={taken} />
      </Section>
      <Section number={2} title={t('section.place')}>
        <EnvironmentPicker
          value={form.values.environments}
          onChange={(value) => form.setFieldValue('environments', value)}
          error={form.errors.environments}
        />
        <StartMode form={form} />
      </Section>
      <Section number={3} title={t('section.database')}>
        <DatabaseChoice form={form} />
      </Section>
      <Section number={4} title={t('section.access')}>
        <Access form={form} />
      </Section>
      <Section number={5} title={t('section.signin')}>
        <OwnSecret form={form} creating />
      </Section>
      <Section number={6} title={t('section.admin')}>
        <FirstAdministrator form={form} />
      </Section>
    </>
  );
}

/** The inputs that stay open after creation; the others are shown with the reason why they are fixed. */
export function EditSections({ form }: Props) {
  const { t } = useTranslation('supervisor');
  const { values } = form;
  return (
    <>
      <Section number={1} title={t('section.basics')}>
        <Basics form={form} />
      </Section>
      <Section number={2} title={t('section.place')}>
        <EnvironmentPicker
          value={values.environments}
          onChange={(value) => form.setFieldValue('environments', value)}
          error={form.errors.environments}
        />
        <Input.Description>{t('form.placeHint')}</Input.Description>
        <StartMode form={form} />
      </Section>
      <Section number={3} title={t('section.database')}>
        <Fixed label={t('form.database')} value={t(`database.${values.mode}`)} reason={t('form.databaseFixed')} />
        {values.mode === 'new_connection' && <Connection form={form} existing />}
      </Section>
      <Section number={4} title={t('section.access')}>
        <Access form={form} />
      </Section>
      <Section number={5} title={t('section.signin')}>
        <OwnSecret form={form} creating={false} />
      </Section>
    </>
  );
}

function Fixed({ label, value, reason }: { label: string; value: string; reason: string }) {
  return (
    <TextInput
      label={label}
      value={value}
      description={reason}
      readOnly
      inputWrapperOrder={['label', 'input', 'description']}
      rightSection={<IconLock size={16} aria-hidden />}
    />
  );
}

/** `taken`: ids that exist already; without it the id is fixed. */
function Basics({ form, taken }: Props & { taken?: string[] }) {
  const { t } = useTranslation('supervisor');
  const { values } = form;
  const [fallback] = useState(() => randomName());
  const onTitle = (title: string) => {
    // The id follows the title until somebody types an own one.
    const follows = values.name === nameFrom(values.displayName, fallback);
    if (taken && follows) form.setFieldValue('name', nameFrom(title, fallback));
    form.setFieldValue('displayName', title);
  };
  return (
    <>
      <TextInput
        data-autofocus
        withAsterisk
        label={t('form.displayName')}
        {...form.getInputProps('displayName')}
        onChange={(event) => onTitle(event.currentTarget.value)}
      />
      {taken ? <NameInput form={form} taken={taken} /> : <Fixed label={t('form.name')} value={values.name} reason={t('form.nameFixed')} />}
      <IconInput
        value={values.icon}
        onChange={(icon) => form.setFieldValue('icon', icon)}
        name={values.name}
        displayName={values.displayName}
        error={form.errors.icon as string | undefined}
      />
      <Textarea
        label={t('form.description')}
        description={t('form.descriptionHint')}
        autosize
        maxRows={4}
        maxLength={500}
        {...form.getInputProps('description')}
      />
      {taken && <TemplateChoice value={values.template} onChange={(name) => form.setFieldValue('template', name)} />}
    </>
  );
}

function NameInput({ form, taken }: Props & { taken: string[] }) {
  const { t } = useTranslation('supervisor');
  const value = form.values.name;
  const free = isFreeName(value, taken) && !form.errors.name;
  return (
    <TextInput
      withAsterisk
      label={t('form.name')}
      description={t('form.nameHint')}
      autoCapitalize="none"
      autoComplete="off"
      spellCheck={false}
      maxLength={32}
      rightSection={
        free ? <IconCircleCheck size={18} className={classes.good} role="img" aria-label={t('form.nameFree')} /> : undefined
      }
      {...form.getInputProps('name')}
    />
  );
}

function StartMode({ form }: Props) {
  const { t } = useTranslation('supervisor');
  return (
    <Radio.Group
      label={t('form.startMode')}
      value={form.values.autoStart ? 'together' : 'visit'}
      onChange={(value) => form.setFieldValue('autoStart', value === 'together')}
    >
      <Stack gap="xs" mt={6}>
        <Radio value="visit" label={t('startMode.visit')} description={t('form.visitHint')} />
        <Radio value="together" label={t('startMode.together')} description={t('form.togetherHint')} />
      </Stack>
    </Radio.Group>
  );
}

function DatabaseChoice({ form }: Props) {
  const { t } = useTranslation('supervisor');
  const { values } = form;
  const possible = useDatabaseModes(values.environments);
  const modes: DatabaseMode[] = ['new_database', 'new_schema', 'new_connection'];
  return (
    <>
      <Radio.Group
        label={t('form.database')}
        error={form.errors.mode}
        value={values.mode}
        onChange={(mode) => form.setFieldValue('mode', mode as DatabaseMode)}
      >
        <Stack gap="xs" mt={6}>
          {modes.map((mode) => (
            <Radio
              key={mode}
              value={mode}
              label={t(`database.${mode}`)}
              description={
                <>
                  {t(`form.databaseHint.${mode}`, { name: values.name || t('form.idWord') })}
                  <Possible finding={possible[mode]} />
                </>
              }
            />
          ))}
        </Stack>
      </Radio.Group>
      {values.mode === 'new_connection' && <Connection form={form} />}
      {values.mode !== 'new_connection' && (
        <TextInput
          w={260}
          label={t('form.tablePrefix')}
          description={t('form.tablePrefixHint')}
          spellCheck={false}
          {...form.getInputProps('tablePrefix')}
        />
      )}
    </>
  );
}

/** Whether the platform's own database user may do it, as the chosen environments have tried. */
function Possible({ finding }: { finding: Finding | null | undefined }) {
  const { t } = useTranslation('supervisor');
  if (finding === undefined) return null;
  const good = finding === null;
  const Icon = good ? IconCircleCheck : IconCircleX;
  return (
    <Text span display="block" inherit className={good ? classes.good : classes.bad}>
      <Icon size={14} aria-hidden className={classes.sign} /> {good ? t('form.databasePossible') : finding.message}
    </Text>
  );
}

/** Where the data is; for an app that exists only the way to it can change, not which data it is. */
function Connection({ form, existing = false }: Props & { existing?: boolean }) {
  const { t } = useTranslation('supervisor');
  const { values } = form;
  const sqlite = values.dialect === 'sqlite';
  return (
    <Stack gap="md" className={classes.inset}>
      {existing ? (
        <Fixed
          label={t('form.dialect')}
          value={[sqlite ? 'SQLite' : 'PostgreSQL', values.database || values.storage, values.schema].filter(Boolean).join(' · ')}
          reason={t('form.dataFixed')}
        />
      ) : (
        <Radio.Group
          label={t('form.dialect')}
          value={values.dialect}
          onChange={(value) => form.setFieldValue('dialect', value as AppValues['dialect'])}
        >
          <Group gap="md" mt={6}>
            <Radio value="postgres" label="PostgreSQL" />
            <Radio value="sqlite" label="SQLite" />
          </Group>
        </Radio.Group>
      )}
      {sqlite && !existing && (
        <TextInput withAsterisk label={t('form.storage')} description={t('form.storageHint')} {...form.getInputProps('storage')} />
      )}
      {!sqlite && <Server form={form} existing={existing} />}
      {!existing && <ConnectionTest values={values} />}
    </Stack>
  );
}

function Server({ form, existing }: Props & { existing: boolean }) {
  const { t } = useTranslation('supervisor');
  return (
    <>
      <Group align="flex-start" gap="sm">
        <TextInput flex={1} miw={180} withAsterisk label={t('form.host')} {...form.getInputProps('host')} />
        <NumberInput w={120} label={t('form.port')} placeholder="5432" min={1} max={65_535} hideControls {...form.getInputProps('port')} />
      </Group>
      {!existing && (
        <>
          <TextInput withAsterisk label={t('form.databaseName')} {...form.getInputProps('database')} />
          <TextInput label={t('form.schema')} {...form.getInputProps('schema')} />
        </>
      )}
      <TextInput withAsterisk label={t('form.username')} autoComplete="off" {...form.getInputProps('username')} />
      <PasswordInput
        label={t('form.password')}
        description={existing ? t('form.passwordKept') : undefined}
        placeholder={existing ? '••••••••' : undefined}
        autoComplete="new-password"
        {...form.getInputProps('password')}
      />
    </>
  );
}

function Access({ form }: Props) {
  const { t } = useTranslation('supervisor');
  return (
    <>
      <Text size="sm">
        {t('form.path')} <Code>/apps/{form.values.name || '…'}</Code>
      </Text>
      <TextInput
        label={t('form.cname')}
        description={t('form.cnameHint')}
        placeholder="crm.example.com"
        autoCapitalize="none"
        spellCheck={false}
        {...form.getInputProps('cname')}
      />
      <DomainCheck domain={form.values.cname} />
      <Switch label={t('form.showInLauncher')} {...form.getInputProps('showInLauncher', { type: 'checkbox' })} />
      <Switch label={t('form.showInSwitcher')} {...form.getInputProps('showInSwitcher', { type: 'checkbox' })} />
      <Switch label={t('form.pinned')} {...form.getInputProps('pinned', { type: 'checkbox' })} />
      <NumberInput label={t('form.sort')} description={t('form.sortHint')} w={160} {...form.getInputProps('sort')} />
    </>
  );
}

function OwnSecret({ form, creating }: Props & { creating: boolean }) {
  const { t } = useTranslation('supervisor');
  return (
    <>
      <PasswordInput
        label={t('form.secret')}
        description={creating ? t('form.secretHint') : t('form.secretChange')}
        autoComplete="new-password"
        {...form.getInputProps('secret')}
      />
      {!creating && (
        <div>
          <RotateSecret name={form.values.name} />
        </div>
      )}
    </>
  );
}

function FirstAdministrator({ form }: Props) {
  const { t } = useTranslation('supervisor');
  const modes: AdminMode[] = ['copy', 'environment', 'own'];
  return (
    <>
      <Radio.Group
        label={t('form.admin')}
        error={form.errors.adminMode}
        value={form.values.adminMode}
        onChange={(value) => form.setFieldValue('adminMode', value as AdminMode)}
      >
        <Stack gap="xs" mt={6}>
          {modes.map((mode) => (
            <Radio key={mode} value={mode} label={t(`admin.${mode}`)} description={t(`form.adminHint.${mode}`)} />
          ))}
        </Stack>
      </Radio.Group>
      {form.values.adminMode === 'own' && (
        <Stack gap="md" className={classes.inset}>
          <TextInput
            withAsterisk
            label={t('form.adminUsername')}
            autoComplete="off"
            {...form.getInputProps('adminUsername')}
          />
          <TextInput label={t('form.adminEmail')} type="email" autoComplete="off" {...form.getInputProps('adminEmail')} />
          <PasswordInput
            withAsterisk
            label={t('form.adminPassword')}
            autoComplete="new-password"
            {...form.getInputProps('adminPassword')}
          />
        </Stack>
      )}
      <Input.Description>{t('form.adminNote')}</Input.Description>
    </>
  );
}
