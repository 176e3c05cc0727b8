import { Kbd, Modal, Table } from '@mantine/core';
import { useTranslation } from 'react-i18next';

const KEYS: [string, string][] = [
  ['← ↑ → ↓', 'move'],
  ['Home End', 'ends'],
  ['PageUp PageDown', 'pages'],
  ['Enter', 'open'],
  ['Space', 'space'],
  ['Ctrl/⌘ A', 'all'],
  ['Ctrl/⌘ C', 'copy'],
  ['Shift Enter', 'link'],
  ['o', 'newTab'],
  ['e', 'edit'],
  ['⌫ Del', 'delete'],
  ['/', 'search'],
  ['c', 'create'],
  ['?', 'help'],
];

const EDITING: [string, string][] = [
  ['Enter F2', 'cell'],
  ['A … Z 0 … 9', 'type'],
  ['Tab', 'tab'],
  ['Esc', 'cancel'],
  ['Ctrl/⌘ V', 'paste'],
  ['Ctrl/⌘ Z', 'undo'],
  ['Ctrl/⌘ Enter', 'openAnywhere'],
];

interface Props {
  opened: boolean;
  onClose: () => void;
  /** Cells are edited in place. */
  editable: boolean;
}

export function KeyHelp({ opened, onClose, editable }: Props) {
  const { t } = useTranslation('grid');
  return (
    <Modal opened={opened} onClose={onClose} title={t('keys.title')} closeButtonProps={{ 'aria-label': t('keys.close') }}>
      <Table withRowBorders={false}>
        <Table.Tbody>
          {[...KEYS, ...(editable ? EDITING : [])].map(([keys, text]) => (
            <Table.Tr key={text}>
              <Table.Th w={150}>
                <Kbd>{keys}</Kbd>
              </Table.Th>
              <Table.Td>{t(`keys.${text}`)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  );
}
