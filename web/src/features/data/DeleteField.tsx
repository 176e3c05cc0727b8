import { Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api } from '../../app/api';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { toast } from '../../ui/toasts';
import type { FieldMeta } from '../../fields';
import { collectionTitle, fieldTitle, isRelation, type CollectionMeta } from './model';
import { countRecords, useRefreshCollections, useRefreshRecords } from './queries';

interface Props {
  collection: CollectionMeta;
  field: FieldMeta | null;
  onClose: () => void;
}

/** Deleting a field loses its values: says how many there are. */
export function DeleteField({ collection, field, onClose }: Props) {
  const { t, i18n } = useTranslation('data');
  const refresh = useRefreshCollections();
  const refreshRecords = useRefreshRecords(collection.name);
  const { data: count } = useQuery({
    queryKey: ['values', collection.name, field?.name],
    queryFn: () => countRecords(collection.name, { [field?.name ?? '']: { $notEmpty: true } }),
    enabled: field !== null && !isRelation(field),
    retry: false,
    staleTime: 0,
  });
  const title = field ? fieldTitle(field) : '';
  const destroy = async () => {
    if (!field) return;
    await api.resource(`collections/${collection.name}/fields`).destroy(field.name);
    await Promise.all([refresh(), refreshRecords()]);
    toast.success(t('field.deleted', { title }));
  };
  return (
    <ConfirmDialog
      opened={field !== null}
      onClose={onClose}
      question={t('field.deleteQuestion', { title })}
      verb={t('field.deleteVerb')}
      danger
      onConfirm={destroy}
    >
      <Stack gap="xs">
        <Text size="sm">{t(field && isRelation(field) ? 'field.deleteRelation' : 'field.deleteConsequence', { collection: collectionTitle(collection) })}</Text>
        {typeof count === 'number' && (
          <Text size="sm" fw={600}>
            {t('field.deleteValues', { count, total: new Intl.NumberFormat(i18n.language).format(count) })}
          </Text>
        )}
      </Stack>
    </ConfirmDialog>
  );
}
