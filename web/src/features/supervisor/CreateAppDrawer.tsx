import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import type { TFunction } from 'i18next';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { FormDrawer } from '../../ui/FormDrawer';
import { type AppValues, createBody, freeNameFrom, likeApp, NEW_APP } from './applicationForm';
import { CreateSections } from './AppFormSections';
import { CreationProgress } from './CreationProgress';
import { Findings } from './Findings';
import { type AppRow, type Finding, titleOf } from './model';
import { checkApp, createApp, useApps } from './queries';
import { findingsOf, showFindings, useAppForm } from './useAppForm';

interface Props {
  opened: boolean;
  onClose: () => void;
  /** Begins with the settings of this app. */
  like?: AppRow;
}

function startOf(like: AppRow | undefined, taken: string[], t: TFunction<['supervisor', 'ui']>): AppValues {
  if (!like) return NEW_APP;
  const title = t('create.copyOf', { name: titleOf(like) });
  return { ...likeApp(like, title), name: freeNameFrom(title, taken) };
}

/** From a title to a running app: form, check before anything is created, then the steps as they happen. */
export function CreateAppDrawer({ opened, onClose, like }: Props) {
  // A new form for each opening.
  return opened ? <OpenDrawer key={like?.name} onClose={onClose} like={like} /> : null;
}

function OpenDrawer({ onClose, like }: Omit<Props, 'opened'>) {
  const { t, i18n } = useTranslation(['supervisor', 'ui']);
  const client = useQueryClient();
  const taken = (useApps().data ?? []).map((app) => app.name);
  const [initial] = useState(() => startOf(like, taken, t));
  const form = useAppForm({ initial, taken, creating: true });
  const [findings, setFindings] = useState<Finding[]>([]);
  const [checked, setChecked] = useState(false);
  const [busy, setBusy] = useState<'check' | 'create' | 'start' | null>(null);
  const [created, setCreated] = useState<string | null>(null);

  const report = (found: Finding[]) => {
    setFindings(found);
    showFindings(form, found);
  };

  /** Resolves to whether the server has no objection. */
  const preflight = async (): Promise<boolean> => {
    const result = await checkApp(createBody(form.values, true, i18n.language));
    report(result.findings);
    return result.ok;
  };

  const run = async (what: 'check' | 'create' | 'start') => {
    setChecked(false);
    setFindings([]);
    if (form.validate().hasErrors) {
      focusFirstError();
      return;
    }
    setBusy(what);
    try {
      if (!(await preflight())) return;
      if (what === 'check') {
        setChecked(true);
        return;
      }
      const row = await createApp(client, createBody(form.values, what === 'start', i18n.language));
      setCreated(row.name);
    } catch (error) {
      report(findingsOf(error));
    } finally {
      setBusy(null);
    }
  };

  if (created) return <CreationProgress name={created} onClose={onClose} />;
  return (
    <FormDrawer
      opened
      onClose={onClose}
      title={like ? t('create.titleLike', { name: titleOf(like) }) : t('create.title')}
      size={720}
      dirty={form.values.displayName !== '' && (!like || form.isDirty())}
      footer={
        <Group justify="space-between" gap="xs">
          <Button variant="subtle" loading={busy === 'check'} disabled={busy !== null} onClick={() => void run('check')}>
            {t('create.check')}
          </Button>
          <Group gap="xs">
            <Button variant="default" loading={busy === 'create'} disabled={busy !== null} onClick={() => void run('create')}>
              {t('create.only')}
            </Button>
            <Button type="submit" form="create-app" loading={busy === 'start'} disabled={busy !== null}>
              {t('create.andStart')}
            </Button>
          </Group>
        </Group>
      }
    >
      <form
        id="create-app"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void run('start');
        }}
      >
        <Stack gap="lg">
          <Findings findings={findings} />
          {like && (
            <Text size="sm" c="dimmed">
              {t('create.likeHint')}
            </Text>
          )}
          {checked && (
            <Alert role="status" color="green" variant="light" icon={<IconCheck aria-hidden />}>
              <Text size="sm">{t('create.checked')}</Text>
            </Alert>
          )}
          <div>
            <CreateSections form={form} taken={taken} />
          </div>
        </Stack>
      </form>
    </FormDrawer>
  );
}

/** After the inputs have got their error texts. */
function focusFirstError(): void {
  requestAnimationFrame(() => document.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
}
