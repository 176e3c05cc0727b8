import { Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api } from '../../app/api';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { toast } from '../../ui/toasts';
import { collectionTitle, type CollectionMeta } from './model';
import { countRecords, useRefreshCollections } from './queries';

interface Props {
  /** Null while nothing is being deleted. */
  collection: CollectionMeta | null;
  onClose: () => void;
  onDeleted?: () => void;
}

/** Deleting a collection loses its table: the name must be typed. */
export function DeleteCollection({ collection, onClose, onDeleted }: Props) {
  const { t, i18n } = useTranslation('data');
  const refresh = useRefreshCollections();
  const { data: count } = useQuery({
    queryKey: ['count', collection?.name ?? ''],
    queryFn: () => countRecords(collection?.name ?? ''),
    enabled: collection !== null,
    retry: false,
  });
  const title = collection ? collectionTitle(collection) : '';
  const destroy = async () => {
    if (!collection) return;
    await api.resource('collections').destroy(collection.name);
    onDeleted?.();
    await refresh();
    toast.success(t('collections.deleted', { title }));
  };
  return (
    <ConfirmDialog
      opened={collection !== null}
      onClose={onClose}
      question={t('collections.deleteQuestion', { title })}
      verb={t('collections.deleteVerb')}
      danger
      typed={collection?.name}
      onConfirm={destroy}
    >
      <Stack gap="xs">
        <Text size="sm">{t('collections.deleteConsequence')}</Text>
        {typeof count === 'number' && (
          <Text size="sm" fw={600}>
            {count === 0
              ? t('collections.deleteEmpty')
              : t('collections.deleteRecords', { count, total: new Intl.NumberFormat(i18n.language).format(count) })}
          </Text>
        )}
      </Stack>
    </ConfirmDialog>
  );
}
