import { ActionIcon, Checkbox, Collapse, Group, Select, Stack, Text, TextInput, Tooltip } from '@mantine/core';
import { IconSettings, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { interfaceOf } from '../../fields';
import classes from './data.module.css';
import { retitled, withKind, type FieldDraft } from './fieldDraft';
import { useInterfaceOptions } from './FieldForm';

interface Props {
  number: number;
  draft: FieldDraft;
  taken: string[];
  error?: string;
  onChange: (draft: FieldDraft) => void;
  onRemove: () => void;
}

/** One field of a new collection in one line; its options unfold below. */
export function FieldRow({ number, draft, taken, error, onChange, onRemove }: Props) {
  const { t } = useTranslation(['data', 'fields']);
  const { field } = draft;
  const kind = interfaceOf(field);
  const [opened, setOpened] = useState(false);
  const showsOptions = opened || kind.id === 'select';
  const patch = (values: Partial<FieldDraft['field']>) => onChange({ ...draft, field: { ...field, ...values } });
  const { Config } = kind;
  return (
    <div className={classes.fieldCard} role="group" aria-label={t('field.number', { number })}>
      <Stack gap="xs">
        <div className={classes.fieldRow}>
          <TextInput
            label={t('field.title')}
            size="sm"
            value={field.uiSchema?.title ?? ''}
            onChange={(event) => onChange(retitled(draft, event.currentTarget.value, taken))}
          />
          <Select
            label={t('field.interface')}
            size="sm"
            data={useInterfaceOptions()}
            value={kind.id}
            allowDeselect={false}
            onChange={(id) => id && onChange(withKind(draft, id))}
          />
          <Tooltip label={t('field.options')}>
            <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t('field.options')} aria-expanded={showsOptions} onClick={() => setOpened(!opened)}>
              <IconSettings size={18} />
            </ActionIcon>
          </Tooltip>
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t('field.remove', { number })} onClick={onRemove}>
            <IconX size={18} />
          </ActionIcon>
        </div>
        {error && (
          <Text size="sm" c="var(--mantine-color-error)" role="alert">
            {error}
          </Text>
        )}
        <Collapse expanded={showsOptions}>
          <Stack gap="sm" pt={4}>
            <TextInput
              label={t('field.name')}
              description={t('field.nameHint')}
              size="sm"
              spellCheck={false}
              value={field.name}
              onChange={(event) => onChange({ field: { ...field, name: event.currentTarget.value }, namedByHand: true })}
            />
            {Config && <Config field={field} existing={false} onChange={patch} />}
            <Group gap="lg">
              {kind.id !== 'checkbox' && (
                <Checkbox
                  label={t('field.required')}
                  checked={field.allowNull === false}
                  onChange={(event) => patch({ allowNull: event.currentTarget.checked ? false : undefined })}
                />
              )}
              {kind.canBeUnique && (
                <Checkbox
                  label={t('field.unique')}
                  checked={field.unique === true}
                  onChange={(event) => patch({ unique: event.currentTarget.checked || undefined })}
                />
              )}
            </Group>
          </Stack>
        </Collapse>
      </Stack>
    </div>
  );
}
