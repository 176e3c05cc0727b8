import { ActionIcon, Button, Code, Group as Row, SegmentedControl, Stack, Text } from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { ConditionRow, newCondition } from './ConditionRow';
import classes from './FilterBuilder.module.css';
import { emptyGroup, MAX_DEPTH, type FilterNode, type Group } from './grammar';
import type { FilterField } from './types';

interface Props {
  group: Group;
  fields: FilterField[];
  onChange: (group: Group) => void;
  onRemove?: () => void;
  depth: number;
  /** Path of the field whose row gets the focus. */
  focusPath: string | null;
}

/** And/Or with its conditions and groups. */
export function GroupEditor({ group, fields, onChange, onRemove, depth, focusPath }: Props) {
  const { t } = useTranslation('filter');
  const set = (at: number, node: FilterNode) =>
    onChange({ ...group, items: group.items.map((item, index) => (index === at ? node : item)) });
  const remove = (at: number) => onChange({ ...group, items: group.items.filter((_, index) => index !== at) });
  const [first] = fields;
  const add = (node: FilterNode) => onChange({ ...group, items: [...group.items, node] });
  return (
    <Stack gap="xs" className={depth > 1 ? classes.nested : undefined} role="group" aria-label={t('group')}>
      {(group.items.length > 1 || depth > 1) && (
        <Row gap="xs" justify="space-between">
          <Row gap="xs">
            <Text size="sm">{t('match')}</Text>
            <SegmentedControl
              size="xs"
              aria-label={t('match')}
              value={group.op}
              onChange={(op) => onChange({ ...group, op: op as Group['op'] })}
              data={[
                { value: '$and', label: t('and') },
                { value: '$or', label: t('or') },
              ]}
            />
          </Row>
          {onRemove && (
            <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t('removeGroup')} onClick={onRemove}>
              <IconX size={16} />
            </ActionIcon>
          )}
        </Row>
      )}
      {group.items.map((node, at) => {
        // Rows are identified by their place: a condition has no identity of its own.
        if (node.kind === 'group') {
          return (
            <GroupEditor
              key={at}
              group={node}
              fields={fields}
              depth={depth + 1}
              focusPath={focusPath}
              onChange={(next) => set(at, next)}
              onRemove={() => remove(at)}
            />
          );
        }
        if (node.kind === 'raw') {
          return (
            <Row key={at} gap="xs" wrap="nowrap">
              <Code style={{ flex: 1, overflow: 'auto' }}>{JSON.stringify(node.filter)}</Code>
              <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t('removeCondition', { title: t('custom') })} onClick={() => remove(at)}>
                <IconX size={16} />
              </ActionIcon>
            </Row>
          );
        }
        return (
          <ConditionRow
            key={at}
            condition={node}
            fields={fields}
            focused={focusPath !== null && node.path === focusPath}
            onChange={(next) => set(at, next)}
            onRemove={() => remove(at)}
          />
        );
      })}
      <Row gap="xs">
        <Button size="xs" variant="default" leftSection={<IconPlus size={14} />} disabled={!first} onClick={() => first && add(newCondition(first))}>
          {t('addCondition')}
        </Button>
        {depth < MAX_DEPTH && (
          <Button size="xs" variant="subtle" disabled={!first} onClick={() => first && add({ ...emptyGroup(), op: '$or', items: [newCondition(first)] })}>
            {t('addGroup')}
          </Button>
        )}
      </Row>
    </Stack>
  );
}
