import { Button, Group, Kbd, Modal, Stack, Table, Text } from '@mantine/core';
import { IconMap } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { tour } from '../setup/tour';
import type { Place } from './navigation';

interface Props {
  opened: boolean;
  onClose: () => void;
  places: Place[];
}

/** The keys that work everywhere. */
export function HelpSheet({ opened, onClose, places }: Props) {
  const { t } = useTranslation();
  const rows: [string[], string][] = [
    [['Ctrl/⌘', 'K'], t('help.palette')],
    [['['], t('help.sidebar')],
    [['?'], t('help.help')],
    [['Esc'], t('help.close')],
    ...places.map(({ key, shortcut }): [string[], string] => [['g', shortcut], t('help.go', { place: t(`nav.${key}`) })]),
  ];
  return (
    <Modal opened={opened} onClose={onClose} title={t('help.title')}>
      <Stack gap="xs">
        <Text size="sm" c="dimmed">
          {t('help.typing')}
        </Text>
        <Table>
          <Table.Tbody>
            {rows.map(([keys, text]) => (
              <Table.Tr key={text}>
                <Table.Td w={130}>
                  <Group gap={4} wrap="nowrap">
                    {keys.map((key) => (
                      <Kbd key={key}>{key}</Kbd>
                    ))}
                  </Group>
                </Table.Td>
                <Table.Td>{text}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
        <Group justify="flex-end">
          <Button
            variant="default"
            leftSection={<IconMap size={16} aria-hidden />}
            onClick={() => {
              onClose();
              tour.set(true);
            }}
          >
            {t('help.tour')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
