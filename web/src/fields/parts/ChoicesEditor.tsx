import { ActionIcon, Button, Group, Menu, Stack, Text, TextInput } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconPlus, IconX } from '@tabler/icons-react';
import { useRef, type ClipboardEvent } from 'react';
import { useTranslation } from 'react-i18next';
import type { Choice } from '../types';
import { CHOICE_COLORS, choiceColor } from './choiceColors';

interface Props {
  choices: Choice[];
  onChange: (choices: Choice[]) => void;
}

/** Lines of a paste as choices: "value<tab>label", or one word for both. */
export function choicesFromText(text: string, index: number): Choice[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line, at) => {
      const [value, label] = line.split('\t').map((part) => part.trim());
      return { value: value ?? '', label: label || value || '', color: CHOICE_COLORS[(index + at) % CHOICE_COLORS.length] };
    });
}

/** Choices of a select field: label, stored value, colour, order; many lines can be pasted. */
export function ChoicesEditor({ choices, onChange }: Props) {
  const { t } = useTranslation('fields');
  const list = useRef<HTMLDivElement>(null);
  const set = (at: number, patch: Partial<Choice>) =>
    onChange(choices.map((choice, index) => (index === at ? { ...choice, ...patch } : choice)));
  const rename = (at: number, label: string) => {
    const old = choices[at];
    // The stored value follows the label until somebody sets it apart.
    set(at, old && (old.value === '' || old.value === old.label) ? { label, value: label } : { label });
  };
  const move = (at: number, by: number) => {
    const next = [...choices];
    const [moved] = next.splice(at, 1);
    if (moved) next.splice(at + by, 0, moved);
    onChange(next);
  };
  const add = () => {
    onChange([...choices, { value: '', label: '', color: CHOICE_COLORS[choices.length % CHOICE_COLORS.length] }]);
    requestAnimationFrame(() => list.current?.querySelector<HTMLInputElement>(':scope > :last-child input')?.focus());
  };
  const paste = (event: ClipboardEvent, at: number) => {
    const pasted = choicesFromText(event.clipboardData.getData('text/plain'), at);
    if (pasted.length < 2) return;
    event.preventDefault();
    const before = choices.slice(0, at);
    const after = choices.slice(at).filter((choice) => choice.value !== '');
    onChange([...before, ...pasted, ...after]);
  };
  return (
    <Stack gap="xs" role="group" aria-label={t('config.choices')}>
      <Text size="sm" fw={500}>
        {t('config.choices')}
      </Text>
      <Text size="xs" c="dimmed">
        {t('config.choicesHint')}
      </Text>
      <Stack gap={6} ref={list}>
        {choices.map((choice, at) => (
          // Position is the identity: values change while they are typed.
          <Group key={at} gap={6} wrap="nowrap">
            <ColorMenu color={choice.color} onChange={(color) => set(at, { color })} label={t('config.color', { name: choice.label })} />
            <TextInput
              style={{ flex: 1 }}
              aria-label={t('config.choiceLabel', { number: at + 1 })}
              placeholder={t('config.label')}
              value={choice.label}
              onChange={(event) => rename(at, event.currentTarget.value)}
              onPaste={(event) => paste(event, at)}
            />
            <TextInput
              style={{ flex: 1 }}
              aria-label={t('config.choiceValue', { number: at + 1 })}
              placeholder={t('config.value')}
              value={choice.value}
              error={choices.some((other, index) => index !== at && other.value === choice.value && choice.value !== '')}
              onChange={(event) => set(at, { value: event.currentTarget.value })}
            />
            <ActionIcon variant="subtle" color="gray" aria-label={t('config.up')} disabled={at === 0} onClick={() => move(at, -1)}>
              <IconArrowUp size={16} />
            </ActionIcon>
            <ActionIcon variant="subtle" color="gray" aria-label={t('config.down')} disabled={at === choices.length - 1} onClick={() => move(at, 1)}>
              <IconArrowDown size={16} />
            </ActionIcon>
            <ActionIcon variant="subtle" color="gray" aria-label={t('config.remove', { name: choice.label })} onClick={() => onChange(choices.filter((_, index) => index !== at))}>
              <IconX size={16} />
            </ActionIcon>
          </Group>
        ))}
      </Stack>
      <Button size="xs" variant="default" leftSection={<IconPlus size={14} />} onClick={add} style={{ alignSelf: 'flex-start' }}>
        {t('config.addChoice')}
      </Button>
    </Stack>
  );
}

function ColorMenu({ color, onChange, label }: { color: string | undefined; onChange: (color: string) => void; label: string }) {
  const { t } = useTranslation('fields');
  const swatch = (name: string) => (
    <span style={{ width: 14, height: 14, borderRadius: '50%', background: choiceColor(name), display: 'inline-block' }} aria-hidden="true" />
  );
  return (
    <Menu withinPortal withInitialFocusPlaceholder={false}>
      <Menu.Target>
        <ActionIcon variant="default" size="lg" aria-label={label}>
          {swatch(color ?? 'gray')}
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {CHOICE_COLORS.map((name) => (
          <Menu.Item key={name} leftSection={swatch(name)} onClick={() => onChange(name)}>
            {t(`color.${name}`)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
