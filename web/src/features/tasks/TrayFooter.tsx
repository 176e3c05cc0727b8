import { Anchor } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { tray } from './queries';
import classes from './TaskTray.module.css';

/** The way from the tray to the page that has all tasks. */
export function TrayFooter() {
  const { t } = useTranslation('tasks');
  return (
    <div className={classes.footer}>
      <Anchor component={Link} to="/admin/settings/tasks" size="sm" onClick={() => tray.set(false)}>
        {t('tray.all')}
      </Anchor>
    </div>
  );
}
