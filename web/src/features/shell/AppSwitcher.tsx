import { Button, Popover, ScrollArea, TextInput } from '@mantine/core';
import { IconChevronDown, IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useAppTitle } from '../../app/account';
import { boot, isMainApp } from '../../app/boot';
import { AppIcon } from '../supervisor/AppIcon';
import { AppStatusChip } from '../supervisor/AppStatusChip';
import { actionsFor, addressOf, type ShownApp, titleOf } from '../supervisor/model';
import { canListApps, useAppCommand, useShownApps } from '../supervisor/queries';
import classes from './AppSwitcher.module.css';

/** Name of this app; opens the list of the others. Just the name where no others can be seen. */
export function AppSwitcher() {
  const { t } = useTranslation();
  const title = useAppTitle();
  const [opened, setOpened] = useState(false);
  const icon = <AppIcon app={{ name: boot.app, displayName: title }} size={26} />;
  if (!canListApps()) {
    return (
      <span className={classes.name}>
        {icon}
        <span className={classes.title}>{title}</span>
      </span>
    );
  }
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-start" width={320} trapFocus returnFocus shadow="md">
      <Popover.Target>
        <Button
          variant="subtle"
          color="gray"
          px={8}
          className={classes.target}
          leftSection={icon}
          rightSection={<IconChevronDown size={16} aria-hidden />}
          aria-label={t('switcher.open', { title })}
          onClick={() => setOpened((value) => !value)}
        >
          <span className={classes.title}>{title}</span>
        </Button>
      </Popover.Target>
      <Popover.Dropdown p="xs">{opened && <AppList onChoose={() => setOpened(false)} />}</Popover.Dropdown>
    </Popover>
  );
}

function AppList({ onChoose }: { onChoose: () => void }) {
  const { t } = useTranslation();
  const [text, setText] = useState('');
  const apps = (useShownApps().apps ?? []).filter((app) => app.options?.showInSwitcher !== false);
  const wanted = text.trim().toLowerCase();
  const found = apps.filter((app) => `${titleOf(app)} ${app.name}`.toLowerCase().includes(wanted));
  return (
    <>
      <TextInput
        data-autofocus
        aria-label={t('switcher.search')}
        placeholder={t('switcher.search')}
        leftSection={<IconSearch size={16} aria-hidden />}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        mb="xs"
      />
      <ScrollArea.Autosize mah={360} type="auto" scrollbars="y">
        <ul className={classes.list}>
          {!isMainApp && (
            <li>
              <a className={classes.entry} href="/admin" onClick={onChoose}>
                <AppIcon app={{ name: 'main', displayName: 'A' }} />
                <span className={classes.entryTitle}>{t('switcher.main')}</span>
              </a>
            </li>
          )}
          {found.map((app) => (
            <li key={app.name}>
              <SwitcherEntry app={app} onChoose={onChoose} />
            </li>
          ))}
        </ul>
        {found.length === 0 && <p className={classes.none}>{t('switcher.none')}</p>}
      </ScrollArea.Autosize>
    </>
  );
}

/** From the main app a new tab, from a business app the same one. */
function SwitcherEntry({ app, onChoose }: { app: ShownApp; onChoose: () => void }) {
  const { t } = useTranslation();
  const { mutate, isPending } = useAppCommand();
  const current = app.name === boot.app;
  const startable = isMainApp && app.status !== undefined && app.status !== 'initialized' && actionsFor(app.status).start;
  return (
    <div className={classes.row}>
      <a
        className={classes.entry}
        href={addressOf(app)}
        target={isMainApp ? '_blank' : undefined}
        rel="noopener"
        aria-current={current ? 'true' : undefined}
        data-stopped={app.status === 'stopped' || undefined}
        onClick={onChoose}
      >
        <AppIcon app={app} />
        <span className={classes.entryTitle}>{titleOf(app)}</span>
        {app.status && app.status !== 'running' && <AppStatusChip status={app.status} />}
      </a>
      {startable && (
        <Button
          size="compact-sm"
          variant="default"
          flex="none"
          loading={isPending}
          aria-label={t('palette.startApp', { title: titleOf(app) })}
          onClick={() => mutate({ name: app.name, command: 'start' })}
        >
          {t('switcher.start')}
        </Button>
      )}
    </div>
  );
}
