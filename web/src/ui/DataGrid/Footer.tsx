import { Button, Group, NativeSelect, Pagination } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import classes from './DataGrid.module.css';
import { PAGE_SIZES, type GridState } from './types';

interface Props {
  state: GridState;
  onState: (patch: Partial<GridState>) => void;
  shown: number;
  total: number | undefined;
  hasNext: boolean | undefined;
  phone: boolean;
}

export function Footer({ state, onState, shown, total, hasNext, phone }: Props) {
  const { t, i18n } = useTranslation('grid');
  const format = new Intl.NumberFormat(i18n.language);
  const from = shown === 0 ? 0 : (state.page - 1) * state.size + 1;
  const bounds = { from: format.format(from), to: format.format(from === 0 ? 0 : from + shown - 1) };
  const pages = total === undefined ? 0 : Math.max(1, Math.ceil(total / state.size));
  return (
    <div className={classes.footer}>
      <span>{total === undefined ? t('rangeOpen', bounds) : t('range', { ...bounds, total: format.format(total) })}</span>
      <span className={classes.spacer} />
      <NativeSelect
        size="xs"
        aria-label={t('pageSize')}
        value={String(state.size)}
        data={PAGE_SIZES.map(String)}
        onChange={(event) => onState({ size: Number(event.currentTarget.value) })}
      />
      {total !== undefined ? (
        pages > 1 && (
          <Pagination
            size={phone ? 'md' : 'sm'}
            total={pages}
            value={state.page}
            siblings={phone ? 0 : 1}
            onChange={(page) => onState({ page })}
            aria-label={t('pages')}
            getItemProps={(page) => ({ 'aria-label': t('goTo', { page }) })}
            getControlProps={(control) => ({ 'aria-label': t(control) })}
          />
        )
      ) : (
        <Group gap="xs">
          <span>{t('pageOpen', { page: format.format(state.page) })}</span>
          <Button size="xs" variant="default" disabled={state.page <= 1} onClick={() => onState({ page: state.page - 1 })}>
            {t('previous')}
          </Button>
          <Button size="xs" variant="default" disabled={!hasNext} onClick={() => onState({ page: state.page + 1 })}>
            {t('next')}
          </Button>
        </Group>
      )}
    </div>
  );
}
