import { Alert, Button, Group, Stack } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { toast } from '../../ui/toasts';
import { type AppValues, restartNeededFor, updateBody, valuesOf } from './applicationForm';
import { EditSections } from './AppFormSections';
import { Findings } from './Findings';
import type { AppRow, Finding } from './model';
import { updateApp, useAppCommand } from './queries';
import { type AppForm, findingsOf, showFindings, useAppForm } from './useAppForm';

export interface AppEditing {
  form: AppForm;
  findings: Finding[];
  busy: boolean;
  dirty: boolean;
  restartFor: (keyof AppValues)[];
  /** Resolves to whether the changes are saved. */
  save: (restart: boolean) => Promise<boolean>;
}

/** State of the form for an existing app; used by the drawer and by the Settings tab. */
export function useAppEditing(app: AppRow): AppEditing {
  const { t } = useTranslation('supervisor');
  const client = useQueryClient();
  const { mutate } = useAppCommand();
  const form = useAppForm({ initial: valuesOf(app), taken: [], creating: false });
  const [findings, setFindings] = useState<Finding[]>([]);
  const [busy, setBusy] = useState(false);

  const save = async (restart: boolean): Promise<boolean> => {
    setFindings([]);
    if (form.validate().hasErrors) return false;
    setBusy(true);
    try {
      await updateApp(client, app.name, updateBody(form.values));
      if (restart) mutate({ name: app.name, command: 'restart' });
      form.setValues({ secret: '', password: '' });
      form.resetDirty({ ...form.values, secret: '', password: '' });
      toast.success(t('edit.saved'));
      return true;
    } catch (error) {
      const found = findingsOf(error);
      setFindings(found);
      showFindings(form, found);
      return false;
    } finally {
      setBusy(false);
    }
  };

  return { form, findings, busy, dirty: form.isDirty(), restartFor: restartNeededFor(form.values, valuesOf(app)), save };
}

export function EditAppFields({ editing }: { editing: AppEditing }) {
  return (
    <Stack gap="lg">
      <Findings findings={editing.findings} />
      <div>
        <EditSections form={editing.form} />
      </div>
    </Stack>
  );
}

/** Save, and a restart with it where the change needs one. ⌘S works too. */
export function EditAppButtons({ editing, onSaved }: { editing: AppEditing; onSaved?: () => void }) {
  const { t } = useTranslation(['supervisor', 'ui']);
  const { busy, dirty, restartFor } = editing;
  const save = async (restart: boolean) => {
    if (await editing.save(restart)) onSaved?.();
  };
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!(event.metaKey || event.ctrlKey) || event.key !== 's') return;
      event.preventDefault();
      if (dirty && !busy) void save(false);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  });
  return (
    <Stack gap="xs">
      {restartFor.length > 0 && (
        <Alert color="yellow" p="xs">
          {t('edit.restartNeeded', { fields: restartFor.map((field) => t(`form.${field}`)).join(', ') })}
        </Alert>
      )}
      <Group justify="flex-end" gap="xs">
        {restartFor.length > 0 && (
          <Button variant="default" disabled={busy} onClick={() => void save(true)}>
            {t('edit.saveAndRestart')}
          </Button>
        )}
        <Button loading={busy} disabled={!dirty} onClick={() => void save(false)}>
          {t('ui:save')}
        </Button>
      </Group>
    </Stack>
  );
}
