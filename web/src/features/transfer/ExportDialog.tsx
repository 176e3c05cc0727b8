import { Button, Checkbox, Group, Modal, Radio, ScrollArea, SegmentedControl, Stack, Text, TextInput } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../../app/api';
import { saveFile } from '../../app/download';
import type { GridState } from '../../ui/DataGrid';
import { ErrorState } from '../../ui/ErrorState';
import { toast } from '../../ui/toasts';
import { collectionTitle, listFields, type CollectionMeta } from '../data/model';
import { collectionsQuery, countRecords, listFilter, sortOf } from '../data/queries';
import { startTask } from '../tasks/queries';
import { filterOf, type BulkSelection } from './bulk';
import { chosenColumns, ColumnTree } from './ColumnTree';

/** Up to this many rows come at once; more become a task. */
const AT_ONCE = 1_000;
const NO_COLLECTIONS: CollectionMeta[] = [];

interface Props {
  collection: CollectionMeta;
  state: GridState;
  /** Names of the columns that the list shows. */
  shown: ReadonlySet<string>;
  /** Chosen records; without it the list's filter or all. */
  selection?: BulkSelection | undefined;
  onClose: () => void;
}

type Scope = 'selection' | 'filter' | 'all';
type Format = 'xlsx' | 'csv' | 'json';

/** Which records, which columns, which kind of file. */
export default function ExportDialog({ collection, state, shown, selection, onClose }: Props) {
  const { t, i18n } = useTranslation('transfer');
  const client = useQueryClient();
  const phone = useMediaQuery('(max-width: 47.99em)', undefined, { getInitialValueInEffect: false });
  const number = new Intl.NumberFormat(i18n.language);
  const filter = listFilter(collection, state) ?? undefined;
  const scopes: Scope[] = [...(selection ? (['selection'] as const) : []), ...(filter ? (['filter'] as const) : []), 'all'];
  const [scope, setScope] = useState<Scope>(selection ? 'selection' : filter ? 'filter' : 'all');
  const [format, setFormat] = useState<Format>('xlsx');
  const [values, setValues] = useState<'labels' | 'raw'>('labels');
  const [name, setName] = useState(collectionTitle(collection));
  const { data: others = NO_COLLECTIONS } = useQuery(collectionsQuery);
  const [chosen, setChosen] = useState<string[]>(() => listFields(collection).map((field) => field.name).filter((each) => shown.has(each)));
  const wanted = scope === 'selection' && selection ? filterOf(selection) : scope === 'filter' ? filter : undefined;
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const count = useQuery({
    queryKey: ['count', collection.name, 'export', wanted ?? null],
    queryFn: () => countRecords(collection.name, wanted),
  }).data;

  const run = async () => {
    setBusy(true);
    setError(null);
    const request = {
      columns: chosenColumns(collection, others, chosen),
      filter: wanted,
      sort: sortOf(collection, state),
      format,
      values,
    };
    const file = `${name.trim() || collectionTitle(collection)}.${format}`;
    try {
      if (count !== null && count !== undefined && count <= AT_ONCE) {
        saveFile(await api.file(`${collection.name}:export`, { body: request }), file);
        toast.success(t('export.done', { file }));
      } else {
        await startTask(client, 'export', { ...request, collection: collection.name, name: file }, { title: file });
      }
      onClose();
    } catch (problem) {
      setError(problem as Error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <Modal opened onClose={onClose} title={t('export.title', { title: collectionTitle(collection) })} size="lg" fullScreen={phone} closeButtonProps={{ size: 'md' }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void run();
        }}
      >
        <Stack gap="md">
          {scopes.length > 1 && (
            <Radio.Group label={t('export.scope')} value={scope} onChange={(value) => setScope(value as Scope)}>
              <Group mt={6}>
                {scopes.map((each) => (
                  <Radio key={each} value={each} label={t(`export.${each}`)} />
                ))}
              </Group>
            </Radio.Group>
          )}
          <Group gap="xl" align="flex-end">
            <div>
              <Text size="sm" fw={500} mb={4} id="export-format">
                {t('export.format')}
              </Text>
              <SegmentedControl aria-labelledby="export-format" value={format} onChange={(value) => setFormat(value as Format)} data={[{ value: 'xlsx', label: t('export.xlsx') }, { value: 'csv', label: 'CSV' }, { value: 'json', label: 'JSON' }]} />
            </div>
            <div>
              <Text size="sm" fw={500} mb={4} id="export-values">
                {t('export.values')}
              </Text>
              <SegmentedControl aria-labelledby="export-values" value={values} onChange={(value) => setValues(value as 'labels' | 'raw')} data={[{ value: 'labels', label: t('export.labels') }, { value: 'raw', label: t('export.raw') }]} />
            </div>
          </Group>
          <Checkbox.Group label={t('export.columns')} value={chosen} onChange={setChosen}>
            <ScrollArea.Autosize mah={260} mt={6} type="auto">
              <ColumnTree collection={collection} others={others} path="" />
            </ScrollArea.Autosize>
          </Checkbox.Group>
          <TextInput label={t('export.name')} value={name} onChange={(event) => setName(event.currentTarget.value)} rightSection={<Text size="sm" c="dimmed">.{format}</Text>} rightSectionWidth={52} />
          {error && <ErrorState error={error} />}
          <Group justify="space-between">
            <Text size="sm" c="dimmed" aria-live="polite">
              {count !== null && count !== undefined && t(count > AT_ONCE ? 'export.asTask' : 'export.atOnce', { count, shown: number.format(count) })}
            </Text>
            <Group gap="xs">
              <Button variant="default" onClick={onClose}>
                {t('cancel')}
              </Button>
              <Button type="submit" loading={busy} disabled={chosen.length === 0}>
                {t('export.run')}
              </Button>
            </Group>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
