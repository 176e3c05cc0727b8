import { Group, NativeSelect, NumberInput, Radio, ScrollArea, Stack, Table, Text } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ErrorState } from '../../ui/ErrorState';
import { fieldTitle, type CollectionMeta } from '../data/model';
import { importTargets, rootOf, type ImportTarget } from './format';
import { firstDraft, lookAgain, obstacle, type ImportDraft, type Layout, type Mode } from './importDraft';
import classes from './transfer.module.css';

const DELIMITERS = [',', ';', '\t', '|'];
const ENCODINGS = ['utf-8', 'utf-8-sig', 'utf-16', 'gb18030', 'cp1252'];
const MODES: Mode[] = ['create', 'update', 'updateOrCreate'];

interface Props {
  collection: CollectionMeta;
  /** All collections; linked records are found by their fields. */
  others: CollectionMeta[];
  draft: ImportDraft;
  onDraft: (draft: ImportDraft) => void;
}

/** Which column of the file is which field, and what the rows mean. */
export function MapStep({ collection, others, draft, onDraft }: Props) {
  const { t } = useTranslation('transfer');
  const targets = importTargets(collection, others);
  const label = ({ field, by }: ImportTarget) => (by ? t('map.by', { title: fieldTitle(field), key: fieldTitle(by) }) : fieldTitle(field));
  const { inspection } = draft;
  const keyable = targets.filter(({ path, by }) => !by && draft.fields.includes(path));
  const problem = obstacle(draft);
  const map = (index: number, name: string) =>
    onDraft({ ...draft, fields: draft.fields.map((old, other) => (other === index ? name || null : old !== null && rootOf(old) === rootOf(name) ? null : old)) });
  return (
    <Stack gap="md">
      <LayoutFields collection={collection} others={others} draft={draft} onDraft={onDraft} />
      <Radio.Group label={t('map.mode')} value={draft.mode} onChange={(mode) => onDraft({ ...draft, mode: mode as Mode })}>
        <Stack gap={6} mt={6}>
          {MODES.map((mode) => (
            <Radio key={mode} value={mode} label={t(`map.${mode}`)} />
          ))}
        </Stack>
      </Radio.Group>
      {draft.mode !== 'create' && (
        <Group align="flex-start">
          <NativeSelect
            label={t('map.key')}
            description={t('map.keyHint')}
            value={draft.keys[0] ?? ''}
            onChange={(event) => onDraft({ ...draft, keys: event.currentTarget.value ? [event.currentTarget.value] : [] })}
            data={[{ value: '', label: t('map.chooseKey') }, ...keyable.map((target) => ({ value: target.path, label: label(target) }))]}
          />
          <NativeSelect
            label={t('map.empty')}
            description={t('map.emptyHint')}
            value={draft.emptyCells}
            onChange={(event) => onDraft({ ...draft, emptyCells: event.currentTarget.value as 'keep' | 'clear' })}
            data={[{ value: 'keep', label: t('map.keep') }, { value: 'clear', label: t('map.clear') }]}
          />
        </Group>
      )}
      <ScrollArea.Autosize mah={340} type="auto" viewportProps={{ tabIndex: 0 }}>
        <Table verticalSpacing={6} stickyHeader className={classes.map}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('map.column')}</Table.Th>
              <Table.Th>{t('map.field')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {inspection.titles.map((title, index) => (
              <Table.Tr key={index}>
                <Table.Td>
                  <Text size="sm" fw={500}>
                    {title || t('map.untitled', { number: index + 1 })}
                  </Text>
                  <Text size="xs" c="dimmed" lineClamp={1}>
                    {inspection.samples.map((row) => row[index]).filter(Boolean).slice(0, 3).join(' · ')}
                  </Text>
                </Table.Td>
                <Table.Td>
                  <NativeSelect
                    aria-label={t('map.fieldFor', { title: title || index + 1 })}
                    value={draft.fields[index] ?? ''}
                    onChange={(event) => map(index, event.currentTarget.value)}
                    data={[{ value: '', label: t('map.leaveOut') }, ...targets.map((target) => ({ value: target.path, label: label(target) }))]}
                  />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </ScrollArea.Autosize>
      {problem && (
        <Text size="sm" c="var(--mantine-color-error)" role="status">
          {t(problem)}
        </Text>
      )}
    </Stack>
  );
}

/** How the file is read: guessed, and changed here when the guess is wrong. */
function LayoutFields({ collection, others, draft, onDraft }: Props) {
  const { t } = useTranslation('transfer');
  const [error, setError] = useState<Error | null>(null);
  const { layout } = draft.inspection;
  const change = async (changes: Partial<Layout>) => {
    setError(null);
    try {
      const inspection = await lookAgain(collection.name, draft.inspection, changes);
      onDraft({ ...firstDraft(collection, others, inspection), mode: draft.mode, emptyCells: draft.emptyCells, onError: draft.onError });
    } catch (problem) {
      setError(problem as Error);
    }
  };
  return (
    <>
      <Group align="flex-end">
        {layout.format === 'xlsx' && layout.sheets.length > 1 && (
          <NativeSelect label={t('map.sheet')} value={layout.sheet} data={layout.sheets} onChange={(event) => void change({ sheet: event.currentTarget.value })} />
        )}
        {layout.format === 'csv' && (
          <>
            <NativeSelect
              label={t('map.delimiter')}
              value={layout.delimiter}
              data={DELIMITERS.map((value) => ({ value, label: value === '\t' ? t('map.tab') : value }))}
              onChange={(event) => void change({ delimiter: event.currentTarget.value })}
            />
            <NativeSelect label={t('map.encoding')} value={layout.encoding} data={ENCODINGS} onChange={(event) => void change({ encoding: event.currentTarget.value })} />
          </>
        )}
        <NumberInput
          label={t('map.headerRow')}
          w={110}
          min={1}
          max={50}
          allowDecimal={false}
          value={layout.headerRow}
          onChange={(value) => {
            if (typeof value === 'number' && value >= 1 && value !== layout.headerRow) void change({ headerRow: value });
          }}
        />
      </Group>
      {error && <ErrorState error={error} />}
    </>
  );
}
