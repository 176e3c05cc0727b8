import { Button, Checkbox, Fieldset, Group, Radio, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../../app/api';
import { ErrorState } from '../../ui/ErrorState';
import { FormDrawer } from '../../ui/FormDrawer';
import { toast } from '../../ui/toasts';
import { interfaceById } from '../../fields';
import { checkCollection, collectionBody, emptyCollection, PRESETS, type CollectionDraft } from './collectionDraft';
import { draftOf } from './fieldDraft';
import { FieldRow } from './FieldRow';
import type { CollectionMeta } from './model';
import { freeName } from './names';
import { collectionsQuery, useRefreshCollections } from './queries';

/** Title, name, preset fields and the first own fields of a collection, in one step. */
export function NewCollection({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation(['data', 'fields', 'ui']);
  const router = useRouter();
  const refresh = useRefreshCollections();
  const taken = (useQuery(collectionsQuery).data ?? []).map((collection) => collection.name);
  const [draft, setDraft] = useState<CollectionDraft>(emptyCollection);
  const [tried, setTried] = useState(false);
  const [saving, setSaving] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const wrong = checkCollection(draft, taken);
  const shown = tried ? wrong : {};
  const patch = (values: Partial<CollectionDraft>) => setDraft((old) => ({ ...old, ...values }));
  const names = draft.fields.map(({ field }) => field.name);

  const save = async (): Promise<boolean> => {
    setTried(true);
    if (Object.keys(wrong).length > 0 || saving) return false;
    setSaving(true);
    setError(null);
    try {
      const made = await api.resource<CollectionMeta>('collections').create(collectionBody(draft));
      await refresh();
      toast.success(t('collections.created', { title: draft.title.trim() }));
      void router.navigate({
        to: '/admin/settings/data/$source/collections/$collection/$tab',
        params: { source: 'main', collection: made.name, tab: 'data' },
        ignoreBlocker: true,
      });
      return true;
    } catch (problem) {
      setError(problem as Error);
      return false;
    } finally {
      setSaving(false);
    }
  };
  return (
    <FormDrawer
      opened
      onClose={onClose}
      size={760}
      dirty={draft.title !== '' || draft.fields.some(({ field }) => field.name !== '')}
      title={t('collections.new')}
      footer={
        <Group justify="flex-end">
          <Button type="submit" form="collection-form" loading={saving}>
            {t('collections.create')}
          </Button>
        </Group>
      }
    >
      <form
        id="collection-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <Stack gap="md">
          {error && <ErrorState error={error} />}
          <TextInput
            label={t('column.title')}
            required
            data-autofocus
            value={draft.title}
            error={shown.title && t(shown.title)}
            onChange={(event) => {
              const title = event.currentTarget.value;
              patch(draft.namedByHand ? { title } : { title, name: title.trim() ? freeName(title, taken, 't') : '' });
            }}
          />
          <TextInput
            label={t('column.name')}
            description={t('collections.nameHint')}
            required
            spellCheck={false}
            value={draft.name}
            error={shown.name && t(shown.name)}
            onChange={(event) => patch({ name: event.currentTarget.value, namedByHand: true })}
          />
          <Radio.Group label={t('column.kind')} value={draft.tree ? 'tree' : 'general'} onChange={(kind) => patch({ tree: kind === 'tree' })}>
            <Group gap="lg" mt={6} align="start">
              <Radio value="general" label={t('kind.general')} />
              <Radio value="tree" label={t('kind.tree')} description={t('kind.treeHint')} />
            </Group>
          </Radio.Group>
          <Textarea
            label={t('column.description')}
            autosize
            minRows={2}
            value={draft.description}
            onChange={(event) => patch({ description: event.currentTarget.value })}
          />
          <Fieldset legend={t('collections.presets')}>
            <Group gap="lg">
              {PRESETS.map((preset) => (
                <Checkbox
                  key={preset}
                  label={t(`preset.${preset}`)}
                  checked={draft.presets.includes(preset)}
                  onChange={(event) =>
                    patch({
                      presets: event.currentTarget.checked
                        ? [...draft.presets, preset]
                        : draft.presets.filter((other) => other !== preset),
                    })
                  }
                />
              ))}
            </Group>
          </Fieldset>
          <Stack gap="xs" role="group" aria-label={t('column.fields')}>
            <Text fw={600} size="sm">
              {t('column.fields')}
            </Text>
            {draft.fields.map((field, at) => (
              <FieldRow
                // The place is the identity while names change.
                key={at}
                number={at + 1}
                draft={field}
                taken={names.filter((_, index) => index !== at)}
                error={shown[`field.${at}`] && t(shown[`field.${at}`] ?? '')}
                onChange={(next) => patch({ fields: draft.fields.map((old, index) => (index === at ? next : old)) })}
                onRemove={() => patch({ fields: draft.fields.filter((_, index) => index !== at) })}
              />
            ))}
            <Button
              variant="default"
              size="xs"
              leftSection={<IconPlus size={14} />}
              style={{ alignSelf: 'flex-start' }}
              onClick={() => patch({ fields: [...draft.fields, draftOf(interfaceById('text'))] })}
            >
              {t('field.add')}
            </Button>
          </Stack>
        </Stack>
      </form>
    </FormDrawer>
  );
}
