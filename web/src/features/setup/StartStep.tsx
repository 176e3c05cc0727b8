import { Button, Group, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { freeNameFrom } from '../supervisor/applicationForm';
import { CreationSteps } from '../supervisor/CreationProgress';
import { leastLoaded } from '../supervisor/EnvironmentPicker';
import { addressOf } from '../supervisor/model';
import { createApp, templatesQuery, useApp, useApps, useEnvironments } from '../supervisor/queries';
import { TemplateChoice } from '../supervisor/TemplateChoice';
import { StepForm } from './StepForm';

/** The first app: empty or with something in it to look at. */
export function StartStep({ onDone }: { onDone: () => void }) {
  const { t, i18n } = useTranslation('setup');
  const client = useQueryClient();
  const templates = useQuery(templatesQuery(i18n.language)).data;
  const environment = leastLoaded(useEnvironments().data ?? []);
  const taken = (useApps().data ?? []).map((app) => app.name);
  const [template, setTemplate] = useState('crm');
  const [title, setTitle] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const [created, setCreated] = useState<string | null>(null);
  const chosen = templates?.find((each) => each.name === template);
  const shownTitle = title ?? chosen?.title ?? t('start.blankName');

  const create = async () => {
    setBusy(true);
    setError(null);
    try {
      const row = await createApp(client, {
        name: freeNameFrom(shownTitle, taken),
        displayName: shownTitle.trim(),
        icon: chosen?.icon ?? null,
        ...(environment ? { environments: [environment.name] } : {}),
        start: true,
        options: { admin: { copyCaller: true }, lang: i18n.language, ...(template ? { template } : {}) },
      });
      setCreated(row.name);
    } catch (problem) {
      setError(problem as Error);
    } finally {
      setBusy(false);
    }
  };

  if (created) return <Created name={created} onDone={onDone} />;
  return (
    <StepForm
      about={t('start.about')}
      error={error}
      busy={busy}
      verb={t('start.create')}
      onSubmit={() => void (shownTitle.trim() && create())}
      onSkip={onDone}
    >
      <TemplateChoice value={template} onChange={setTemplate} />
      <TextInput
        label={t('start.name')}
        description={t('start.nameHint')}
        value={shownTitle}
        error={shownTitle.trim() ? undefined : t('start.nameNeeded')}
        onChange={(event) => setTitle(event.currentTarget.value)}
      />
    </StepForm>
  );
}

function Created({ name, onDone }: { name: string; onDone: () => void }) {
  const { t } = useTranslation('setup');
  const { data: app } = useApp(name);
  const running = app?.status === 'running';
  return (
    <Stack gap="md">
      <Text size="sm">{running ? t('start.ready') : t('start.working')}</Text>
      {app ? <CreationSteps app={app} /> : <Skeleton height={160} />}
      <Group justify="flex-end" gap="xs">
        {app && running && (
          <Button component="a" variant="default" href={addressOf(app)} target="_blank" rel="noopener">
            {t('start.open')}
          </Button>
        )}
        <Button onClick={onDone}>{t('start.next')}</Button>
      </Group>
    </Stack>
  );
}
