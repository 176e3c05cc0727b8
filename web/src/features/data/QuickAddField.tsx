import { Button, Group, Select, TextInput } from '@mantine/core';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../../app/api';
import { toast } from '../../ui/toasts';
import { INTERFACES, interfaceById } from '../../fields';
import { createBody, draftOf } from './fieldDraft';
import { fieldsOf, type CollectionMeta } from './model';
import { useRefreshCollections, useRefreshRecords } from './queries';
import { useInterfaceOptions } from './FieldForm';

/** A title and Enter: the field is there. Kinds that need options are added through the drawer. */
export function QuickAddField({ collection }: { collection: CollectionMeta }) {
  const { t } = useTranslation(['data', 'fields']);
  const [title, setTitle] = useState('');
  const [kind, setKind] = useState('text');
  const [busy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const refresh = useRefreshCollections();
  const refreshRecords = useRefreshRecords(collection.name);
  const groups = useInterfaceOptions();
  const simple = INTERFACES.filter((candidate) => candidate.id !== 'select').map((candidate) => candidate.id);
  const options = groups.map((group) => ({ ...group, items: group.items.filter((item) => simple.includes(item.value)) })).filter((group) => group.items.length > 0);
  const add = async () => {
    const taken = fieldsOf(collection).map((field) => field.name);
    setBusy(true);
    try {
      await api.resource(`collections/${collection.name}/fields`).create(createBody(draftOf(interfaceById(kind), title.trim(), taken)));
      await Promise.all([refresh(), refreshRecords()]);
      setTitle('');
    } catch (error) {
      toast.error(error);
    } finally {
      setBusy(false);
      input.current?.focus();
    }
  };
  return (
    <form
      aria-label={t('field.quickAdd')}
      style={{ marginTop: 'var(--mantine-spacing-sm)' }}
      onSubmit={(event) => {
        event.preventDefault();
        if (title.trim() && !busy) void add();
      }}
    >
      <Group gap="xs" align="end">
        <TextInput
          ref={input}
          size="sm"
          label={t('field.quickTitle')}
          value={title}
          style={{ flex: '1 1 180px', maxWidth: 320 }}
          onChange={(event) => setTitle(event.currentTarget.value)}
        />
        <Select size="sm" label={t('field.interface')} data={options} value={kind} allowDeselect={false} onChange={(id) => id && setKind(id)} w={180} />
        <Button size="sm" type="submit" variant="default" loading={busy} disabled={!title.trim()}>
          {t('field.quickSubmit')}
        </Button>
      </Group>
    </form>
  );
}
