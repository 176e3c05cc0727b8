import { useTranslation } from 'react-i18next';

import { FormDrawer } from '../../ui/FormDrawer';
import { EditAppButtons, EditAppFields, useAppEditing } from './EditAppForm';
import { type AppRow, titleOf } from './model';

interface Props {
  app: AppRow;
  opened: boolean;
  onClose: () => void;
}

export function EditAppDrawer({ app, opened, onClose }: Props) {
  const { t } = useTranslation('supervisor');
  const editing = useAppEditing(app);
  return (
    <FormDrawer
      opened={opened}
      onClose={onClose}
      title={t('edit.title', { name: titleOf(app) })}
      size={720}
      dirty={editing.dirty}
      onSave={() => editing.save(false)}
      footer={<EditAppButtons editing={editing} onSaved={onClose} />}
    >
      <EditAppFields editing={editing} />
    </FormDrawer>
  );
}
