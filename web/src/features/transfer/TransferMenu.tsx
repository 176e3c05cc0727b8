import { ActionIcon, Menu, Tooltip } from '@mantine/core';
import { IconArrowsTransferDown, IconFileExport, IconFileImport } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { GridState } from '../../ui/DataGrid';
import type { CollectionMeta } from '../data/model';

const ExportDialog = lazy(() => import('./ExportDialog'));
const ImportWizard = lazy(() => import('./ImportWizard'));

interface Props {
  collection: CollectionMeta;
  state: GridState;
  /** Names of the columns that the list shows. */
  shown: ReadonlySet<string>;
  /** After records came in. */
  onImported: () => void;
}

/** Import and export of a list; their code comes when they are needed. */
export function TransferMenu({ collection, state, shown, onImported }: Props) {
  const { t } = useTranslation('transfer');
  const [open, setOpen] = useState<'import' | 'export' | null>(null);
  const close = () => setOpen(null);
  return (
    <>
      <Menu position="bottom-end" shadow="md">
        <Menu.Target>
          <Tooltip label={t('menu')}>
            <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t('menu')}>
              <IconArrowsTransferDown size={18} aria-hidden />
            </ActionIcon>
          </Tooltip>
        </Menu.Target>
        <Menu.Dropdown>
          {collection.system !== true && (
            <Menu.Item leftSection={<IconFileImport size={16} aria-hidden />} onClick={() => setOpen('import')}>
              {t('menuImport')}
            </Menu.Item>
          )}
          <Menu.Item leftSection={<IconFileExport size={16} aria-hidden />} onClick={() => setOpen('export')}>
            {t('menuExport')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Suspense fallback={null}>
        {open === 'export' && <ExportDialog collection={collection} state={state} shown={shown} onClose={close} />}
        {open === 'import' && <ImportWizard collection={collection} onClose={close} onImported={onImported} />}
      </Suspense>
    </>
  );
}
