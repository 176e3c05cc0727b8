import { Button, Menu, Text, VisuallyHidden } from '@mantine/core';
import { IconBookmark, IconCheck, IconDeviceFloppy, IconPencil, IconPlus, IconRotate, IconStar, IconStarOff, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ConfirmDialog } from '../ConfirmDialog';
import { toast } from '../toasts';
import { useGridPreference } from './preferences';
import { formatSort } from './urlState';
import type { GridState } from './types';
import type { GridLayout } from './useGridTable';
import { ViewDialog, type ViewDraft } from './ViewDialog';
import { deleteView, forgetLook, saveView, useViews, type GridViews, type SavedView, type ViewValues } from './views';
import classes from './DataGrid.module.css';

interface Props {
  gridKey: string;
  views: GridViews;
  state: GridState;
  layout: GridLayout;
}

/** What the list shows now, as it is saved. */
function contentOf(state: GridState, layout: GridLayout): ViewValues {
  const { order, visible, widths, pins, density } = layout.preference;
  return {
    filter: state.filter,
    sort: state.sort.length > 0 ? formatSort(state.sort).split(',') : null,
    columns: { order, visible, widths, pins },
    density: density ?? null,
  };
}

/** Named views of the list: choose one, save what is shown, rename, share, delete, open by itself. */
export function ViewsMenu({ gridKey, views, state, layout }: Props) {
  const { t } = useTranslation('grid');
  const { active, all, standard } = views;
  const [opened, setOpened] = useState(false);
  const { isLoading } = useViews(gridKey, opened);
  const [, setPreference] = useGridPreference(gridKey);
  const [dialog, setDialog] = useState<'new' | 'edit' | null>(null);
  const [deleting, setDeleting] = useState<SavedView | null>(null);
  const modified = active !== null && (views.modified || layout.changed);
  const setStandard = (id: string | undefined) =>
    setPreference(({ view: _old, ...rest }) => (id === undefined ? rest : { ...rest, view: id }));
  const discard = () => {
    if (!active) return;
    forgetLook(gridKey, active);
    views.choose(active.id);
  };
  const overwrite = async () => {
    if (!active) return;
    await saveView(gridKey, active.id, contentOf(state, layout));
    discard();
    toast.success(t('views.saved', { title: active.title }));
  };
  const save = async ({ title, shared, opens }: ViewDraft) => {
    const isNew = dialog === 'new';
    const saved = await saveView(gridKey, isNew ? null : (active?.id ?? null), { title, shared, ...(isNew ? contentOf(state, layout) : {}) });
    if (opens !== (standard === saved.id)) setStandard(opens ? saved.id : undefined);
    if (isNew) {
      // What made the look of this view is in it now.
      if (active) forgetLook(gridKey, active);
      views.choose(saved.id);
    }
    toast.success(t('views.saved', { title: saved.title }));
  };
  const remove = async (view: SavedView) => {
    await deleteView(gridKey, view);
    if (standard === view.id) setStandard(undefined);
    if (active?.id === view.id) views.choose(null);
    toast.success(t('views.deleted', { title: view.title }));
  };
  const entry = (view: SavedView) => (
    <Menu.Item
      key={view.id}
      leftSection={active?.id === view.id ? <IconCheck size={16} /> : <span className={classes.noIcon} />}
      rightSection={view.id === standard ? <IconStar size={14} aria-label={t('views.standard')} /> : undefined}
      aria-current={active?.id === view.id || undefined}
      onClick={() => views.choose(view.id)}
    >
      {view.title}
    </Menu.Item>
  );
  const own = all.filter((view) => !view.shared);
  const shared = all.filter((view) => view.shared);
  return (
    <>
      <Menu opened={opened} onChange={setOpened} position="bottom-start" withinPortal shadow="md" width={280} withInitialFocusPlaceholder={false}>
        <Menu.Target>
          <Button size="sm" variant={active ? 'light' : 'default'} leftSection={<IconBookmark size={16} />} maw={240}>
            <Text span truncate fz="sm" fw={600}>
              {active ? active.title : t('views.button')}
            </Text>
            {modified && (
              <>
                <span className={classes.modified} aria-hidden />
                <VisuallyHidden> {t('views.modified')}</VisuallyHidden>
              </>
            )}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={active ? <span className={classes.noIcon} /> : <IconCheck size={16} />} aria-current={active ? undefined : true} onClick={() => views.choose(null)}>
            {t('views.none')}
          </Menu.Item>
          {own.length > 0 && <Menu.Label>{t('views.own')}</Menu.Label>}
          {own.map(entry)}
          {shared.length > 0 && <Menu.Label>{t('views.shared')}</Menu.Label>}
          {shared.map(entry)}
          {isLoading && <Menu.Label>{t('views.loading')}</Menu.Label>}
          <Menu.Divider />
          {active && modified && active.editable && (
            <Menu.Item leftSection={<IconDeviceFloppy size={16} />} onClick={() => void overwrite().catch(toast.error)}>
              {t('views.save', { title: active.title })}
            </Menu.Item>
          )}
          {active && modified && (
            <Menu.Item leftSection={<IconRotate size={16} />} onClick={discard}>
              {t('views.discard')}
            </Menu.Item>
          )}
          <Menu.Item leftSection={<IconPlus size={16} />} onClick={() => setDialog('new')}>
            {t('views.saveAs')}
          </Menu.Item>
          {active && (
            <Menu.Item
              leftSection={standard === active.id ? <IconStarOff size={16} /> : <IconStar size={16} />}
              onClick={() => setStandard(standard === active.id ? undefined : active.id)}
            >
              {t(standard === active.id ? 'views.notStandard' : 'views.makeStandard')}
            </Menu.Item>
          )}
          {active?.editable && (
            <>
              <Menu.Item leftSection={<IconPencil size={16} />} onClick={() => setDialog('edit')}>
                {t('views.edit')}
              </Menu.Item>
              <Menu.Item c="var(--mantine-color-error)" leftSection={<IconTrash size={16} />} onClick={() => setDeleting(active)}>
                {t('views.delete')}
              </Menu.Item>
            </>
          )}
        </Menu.Dropdown>
      </Menu>
      {dialog && <ViewDialog view={dialog === 'edit' ? active : null} opens={dialog === 'edit' && standard === active?.id} onSave={save} onClose={() => setDialog(null)} />}
      <ConfirmDialog
        opened={deleting !== null}
        onClose={() => setDeleting(null)}
        question={t('views.deleteQuestion', { title: deleting?.title ?? '' })}
        verb={t('views.delete')}
        danger
        onConfirm={() => deleting && remove(deleting)}
      >
        {t(deleting?.shared ? 'views.deleteShared' : 'views.deleteOwn')}
      </ConfirmDialog>
    </>
  );
}
