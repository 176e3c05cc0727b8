import { Button, Drawer, Group as Row, Popover, Stack, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconFilter } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { newCondition } from './ConditionRow';
import { countConditions, emptyGroup, formatFilter, leaves, parseFilter, type Filter, type Group } from './grammar';
import { GroupEditor } from './GroupEditor';
import type { FilterField } from './types';

interface Props {
  fields: FilterField[];
  filter: Filter | null;
  onChange: (filter: Filter | null) => void;
  /** Opens the builder at a field; a condition for it is added when there is none. */
  openAt: string | null;
  onOpened: () => void;
  /** Number of rows that match now. */
  total: number | undefined;
}

const APPLY_DELAY_MS = 300;
const PHONE = '(max-width: 639.98px)';

const sameFilter = (a: Filter | null, b: Filter | null) => JSON.stringify(a) === JSON.stringify(b);

/** The tree while it is edited: half-made rows live here, complete ones go to the URL after a moment. */
function useDraft(filter: Filter | null, onChange: (filter: Filter | null) => void) {
  const [tree, setTree] = useState<Group>(() => parseFilter(filter));
  const sent = useRef(filter);
  const send = useRef(onChange);
  useEffect(() => {
    send.current = onChange;
  });
  useEffect(() => {
    if (sameFilter(filter, sent.current)) return;
    sent.current = filter;
    setTree(parseFilter(filter));
  }, [filter]);
  useEffect(() => {
    const next = formatFilter(tree);
    if (sameFilter(next, formatFilter(parseFilter(sent.current)))) return;
    const timer = window.setTimeout(() => {
      sent.current = next;
      send.current(next);
    }, APPLY_DELAY_MS);
    return () => window.clearTimeout(timer);
  }, [tree]);
  return [tree, setTree] as const;
}

/** Button with the number of conditions, and the builder behind it. */
export function FilterButton({ fields, filter, onChange, openAt, onOpened, total }: Props) {
  const { t, i18n } = useTranslation('filter');
  const phone = useMediaQuery(PHONE, undefined, { getInitialValueInEffect: false }) ?? false;
  const [opened, setOpened] = useState(false);
  const [focusPath, setFocusPath] = useState<string | null>(null);
  const [tree, setTree] = useDraft(filter, onChange);
  const count = countConditions(filter);

  const open = (path: string | null) => {
    setFocusPath(path);
    setTree((old) => withRow(old, fields, path));
    setOpened(true);
  };
  useEffect(() => {
    if (openAt === null) return;
    open(openAt);
    onOpened();
  });

  const button = (
    <Button
      size="sm"
      variant={count > 0 ? 'light' : 'default'}
      leftSection={<IconFilter size={16} />}
      aria-expanded={opened}
      aria-haspopup="dialog"
      onClick={() => (opened ? setOpened(false) : open(null))}
    >
      {count > 0 ? t('filterCount', { count }) : t('filter')}
    </Button>
  );
  const body = (
    <Stack gap="sm">
      <GroupEditor group={tree} fields={fields} depth={1} focusPath={focusPath} onChange={setTree} />
      <Row justify="space-between">
        <Text size="sm" c="dimmed" aria-live="polite">
          {total !== undefined && t('results', { count: total, total: new Intl.NumberFormat(i18n.language).format(total) })}
        </Text>
        <Row gap="xs">
          <Button size="xs" variant="subtle" onClick={() => setTree(emptyGroup())}>
            {t('clear')}
          </Button>
          <Button size="xs" onClick={() => setOpened(false)}>
            {t('done')}
          </Button>
        </Row>
      </Row>
    </Stack>
  );
  if (phone) {
    return (
      <>
        {button}
        <Drawer opened={opened} onClose={() => setOpened(false)} position="bottom" size="100%" title={t('filter')}>
          {body}
        </Drawer>
      </>
    );
  }
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-start" width={680} trapFocus returnFocus shadow="md" withinPortal>
      <Popover.Target>{button}</Popover.Target>
      <Popover.Dropdown aria-label={t('filter')}>{body}</Popover.Dropdown>
    </Popover>
  );
}

/** The tree with a row to start from: for `path` when asked for, else one when it is empty. */
function withRow(tree: Group, fields: FilterField[], path: string | null): Group {
  const wanted = fields.find((field) => field.path === path) ?? (tree.items.length === 0 ? fields[0] : undefined);
  if (!wanted) return tree;
  const present = leaves(tree).some(({ node }) => node.kind === 'condition' && node.path === wanted.path);
  return present ? tree : { ...tree, items: [...tree.items, newCondition(wanted)] };
}
