/** Files that hang on a record. They are records of their own, made by uploading them. */
import { Select } from '@mantine/core';
import { IconPaperclip } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../../app/api';
import { manyText } from '../parts/related';
import { FilesCell, FilesView } from '../parts/files';
import type { ConfigProps, EditProps, FieldInterface } from '../types';

const FilesInput = lazy(async () => ({ default: (await import('../parts/FilesInput')).FilesInput }));

function Edit(props: EditProps) {
  return (
    <Suspense fallback={<div role="group" aria-busy aria-label={typeof props.label === 'string' ? props.label : undefined} style={{ minHeight: 72 }} />}>
      <FilesInput {...props} />
    </Suspense>
  );
}

/** Where the files of the field are kept: the default storage unless one is chosen. */
function Config({ field, onChange }: ConfigProps) {
  const { t } = useTranslation('fields');
  const { data = [] } = useQuery({
    queryKey: ['storages'],
    queryFn: async ({ signal }) => (await api.resource<{ name: string; title?: string | null }>('storages').list({ paginate: false }, signal)).data,
  });
  return (
    <Select
      label={t('files.storage')}
      placeholder={t('files.defaultStorage')}
      clearable
      data={data.map(({ name, title }) => ({ value: name, label: title || name }))}
      value={typeof field.storage === 'string' ? field.storage : null}
      onChange={(storage) => onChange({ storage: storage ?? undefined })}
    />
  );
}

export const attachment: FieldInterface = {
  id: 'attachment',
  group: 'advanced',
  icon: IconPaperclip,
  wire: { interface: 'attachment', type: 'belongsToMany', target: 'attachments' },
  relation: 'many',
  creatable: true,
  canBeUnique: false,
  searchable: false,
  width: 160,
  operators: [],
  text: manyText,
  plain: manyText,
  Cell: FilesCell,
  View: FilesView,
  Edit,
  inCell: null,
  FilterValue: null,
  Config,
};
