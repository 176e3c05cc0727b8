import { Button, FileButton, Group, Loader, Stack, Text } from '@mantine/core';
import { IconFileSpreadsheet, IconTableDown } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../../app/api';
import { saveFile } from '../../app/download';
import { ErrorState } from '../../ui/ErrorState';
import { toast } from '../../ui/toasts';
import { collectionTitle, fieldTitle, type CollectionMeta } from '../data/model';
import { importTargets, usualTargets } from './format';
import { sendFile, type Inspection } from './importDraft';
import classes from './transfer.module.css';

interface Props {
  collection: CollectionMeta;
  /** All collections; linked records are found by their fields. */
  others: CollectionMeta[];
  onTaken: (inspection: Inspection) => void;
}

/** A place to drop a file, a button to choose one, and a template to fill in. */
export function UploadStep({ collection, others, onTaken }: Props) {
  const { t } = useTranslation('transfer');
  const [over, setOver] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const send = async (file: File | null | undefined) => {
    if (!file) return;
    setBusy(true);
    setError(null);
    try {
      onTaken(await sendFile(collection.name, file));
    } catch (problem) {
      setError(problem as Error);
      setBusy(false);
    }
  };
  const template = async () => {
    const columns = usualTargets(importTargets(collection, others)).map(({ path, field }) => ({ dataIndex: path.split('.'), title: fieldTitle(field) }));
    const title = collectionTitle(collection);
    saveFile(await api.file(`${collection.name}:downloadXlsxTemplate`, { body: { title, columns } }), `${title}.xlsx`);
  };
  return (
    <Stack gap="sm">
      <div
        className={classes.drop}
        data-over={over || undefined}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          void send(event.dataTransfer.files[0]);
        }}
      >
        {busy ? <Loader size={32} aria-label={t('upload.sending')} /> : <IconFileSpreadsheet size={36} stroke={1.4} aria-hidden />}
        <Text size="sm">{t('upload.drop')}</Text>
        <FileButton onChange={(file) => void send(file)} accept=".xlsx,.csv,.tsv,.txt">
          {(props) => (
            <Button {...props} variant="light" disabled={busy}>
              {t('upload.choose')}
            </Button>
          )}
        </FileButton>
        <Text size="xs" c="dimmed">
          {t('upload.kinds')}
        </Text>
      </div>
      <Group>
        <Button variant="subtle" size="compact-sm" leftSection={<IconTableDown size={16} aria-hidden />} onClick={() => void template().catch(toast.error)}>
          {t('upload.template')}
        </Button>
      </Group>
      {error && <ErrorState error={error} />}
    </Stack>
  );
}
