import { ActionIcon, Button, Checkbox, CloseButton, Group, Loader, Menu, Popover, SegmentedControl, Stack, Text, TextInput, Tooltip } from '@mantine/core';
import { IconColumns3, IconDots, IconKeyboard, IconLink, IconPrinter, IconRefresh, IconSearch } from '@tabler/icons-react';
import { useEffect, useRef, useState, type ReactNode, type RefObject } from 'react';
import { useTranslation } from 'react-i18next';
import { toast } from '../toasts';
import type { Density, GridColumn, GridState } from './types';
import type { GridLayout } from './useGridTable';

const SEARCH_DELAY_MS = 300;

interface Props<Row> {
  layout: GridLayout;
  columns: GridColumn<Row>[];
  state: GridState;
  onState: (patch: Partial<GridState>) => void;
  searchable: boolean;
  searchRef: RefObject<HTMLInputElement | null>;
  fetching: boolean;
  refresh: () => void;
  phone: boolean;
  showKeys: () => void;
  filterButton: ReactNode;
  viewsMenu: ReactNode;
  /** Absent while there is nothing to print. */
  print?: () => void;
  extra: ReactNode;
}

export function Toolbar<Row>(props: Props<Row>) {
  const { t } = useTranslation('grid');
  const { layout, phone } = props;
  return (
    <Group gap="xs" role="group" aria-label={t('view')}>
      {props.searchable && <SearchField {...props} />}
      {props.filterButton}
      {props.viewsMenu}
      {props.extra}
      <Group gap={4} ml="auto" wrap="nowrap">
        {!phone && <ViewMenu layout={layout} columns={props.columns} />}
        <Tooltip label={t('refresh')}>
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t('refresh')} onClick={props.refresh}>
            {props.fetching ? <Loader size={16} /> : <IconRefresh size={18} />}
          </ActionIcon>
        </Tooltip>
        <MoreMenu showKeys={props.showKeys} phone={phone} print={props.print} />
      </Group>
    </Group>
  );
}

function SearchField<Row>({ state, onState, searchRef }: Props<Row>) {
  const { t } = useTranslation('grid');
  const [text, setText] = useState(state.q);
  const sent = useRef(state.q);
  // Back, forward and "clear all" change the query from outside.
  useEffect(() => {
    if (state.q !== sent.current) {
      sent.current = state.q;
      setText(state.q);
    }
  }, [state.q]);
  useEffect(() => {
    if (text === sent.current) return;
    const timer = window.setTimeout(() => {
      sent.current = text;
      onState({ q: text });
    }, SEARCH_DELAY_MS);
    return () => window.clearTimeout(timer);
  }, [text, onState]);
  return (
    <TextInput
      ref={searchRef}
      size="sm"
      role="searchbox"
      style={{ flex: '1 1 160px', maxWidth: 320 }}
      leftSection={<IconSearch size={16} aria-hidden="true" />}
      rightSection={text ? <CloseButton size="sm" aria-label={t('clearSearch')} onClick={() => setText('')} /> : null}
      placeholder={t('search')}
      aria-label={t('search')}
      title={t('searchHint')}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && text) {
          event.stopPropagation();
          setText('');
        }
      }}
    />
  );
}

/** Which columns show, and how high rows are. */
function ViewMenu<Row>({ layout, columns }: { layout: GridLayout; columns: GridColumn<Row>[] }) {
  const { t } = useTranslation('grid');
  const densities: [Density, string][] = [
    ['compact', t('densityCompact')],
    ['normal', t('densityNormal')],
    ['comfortable', t('densityComfortable')],
  ];
  return (
    <Popover position="bottom-end" withinPortal trapFocus shadow="md">
      <Popover.Target>
        <Button size="sm" variant="subtle" color="gray" leftSection={<IconColumns3 size={16} />}>
          {t('columns')}
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label={t('columns')}>
        <Stack gap="sm">
          <Stack gap={6} mah="50dvh" style={{ overflowY: 'auto' }}>
            {columns.map((column) => {
              const tableColumn = layout.table.getColumn(column.id);
              return (
                <Checkbox
                  key={column.id}
                  size="sm"
                  label={column.title}
                  disabled={!tableColumn?.getCanHide()}
                  checked={tableColumn?.getIsVisible() ?? false}
                  onChange={(event) => tableColumn?.toggleVisibility(event.currentTarget.checked)}
                />
              );
            })}
          </Stack>
          <div>
            <Text size="sm" fw={600} mb={4}>
              {t('density')}
            </Text>
            <SegmentedControl
              size="xs"
              aria-label={t('density')}
              value={layout.density}
              onChange={(value) => layout.setDensity(value as Density)}
              data={densities.map(([value, label]) => ({ value, label }))}
            />
          </div>
          <Button size="xs" variant="default" onClick={layout.reset}>
            {t('resetView')}
          </Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}

function MoreMenu({ showKeys, phone, print }: { showKeys: () => void; phone: boolean; print?: () => void }) {
  const { t } = useTranslation('grid');
  const copyLink = async () => {
    await navigator.clipboard.writeText(window.location.href);
    toast.info(t('linkCopied'));
  };
  return (
    <Menu position="bottom-end" withinPortal withInitialFocusPlaceholder={false}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t('more')}>
          <IconDots size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconLink size={16} />} onClick={() => void copyLink().catch(toast.error)}>
          {t('copyLink')}
        </Menu.Item>
        <Menu.Item leftSection={<IconPrinter size={16} />} disabled={!print} onClick={print}>
          {t('print')}
        </Menu.Item>
        {!phone && (
          <Menu.Item leftSection={<IconKeyboard size={16} />} onClick={showKeys}>
            {t('keys.title')}
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
