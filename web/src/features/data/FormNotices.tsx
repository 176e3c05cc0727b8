import { Alert, Button, Group } from '@mantine/core';
import { IconHistory, IconUserEdit } from '@tabler/icons-react';
import i18next from 'i18next';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { relativeTime } from '../../ui/time';
import { ConflictDialog } from './ConflictDialog';
import { fieldTitle } from './model';
import type { RecordForm } from './useRecordForm';
import { whoChanged } from './whoChanged';

/** Above the inputs: input that was found again, and what somebody else changes while the form is open. */
export function FormNotices({ form }: { form: RecordForm }) {
  const { t } = useTranslation(['data', 'ui']);
  const [opened, setOpened] = useState(false);
  const { conflict } = form;
  return (
    <>
      {form.restoredAt !== null && form.dirty && (
        <Alert role="status" color="blue" variant="light" p="xs" mb="md" icon={<IconHistory aria-hidden />}>
          <Group gap="xs">
            {t('draft.restored', { when: relativeTime(form.restoredAt, i18next.language) })}
            <Button size="compact-sm" variant="default" onClick={form.discard}>
              {t('draft.discard')}
            </Button>
          </Group>
        </Alert>
      )}
      {conflict && !form.isRefused && (
        <Alert role="status" color="yellow" variant="light" p="xs" mb="md" icon={<IconUserEdit aria-hidden />}>
          <Group gap="xs">
            {notice(form)}
            <Button size="compact-sm" variant="default" onClick={() => setOpened(true)}>
              {t('conflict.show')}
            </Button>
          </Group>
        </Alert>
      )}
      {conflict && opened && !form.isRefused && (
        <ConflictDialog
          conflict={conflict}
          verb={t('conflict.take')}
          onMerge={async (yielded) => {
            await form.merge(yielded, false);
            setOpened(false);
          }}
          onClose={() => setOpened(false)}
        />
      )}
    </>
  );
}

function notice({ conflict }: RecordForm): string {
  if (!conflict) return '';
  const { name, when } = whoChanged(conflict.record);
  const titles = conflict.changes.map(({ field }) => fieldTitle(field));
  const fields = new Intl.ListFormat(i18next.language).format(titles);
  return i18next.t(when ? 'conflict.notice' : 'conflict.noticeNow', { ns: 'data', name, fields, when });
}
