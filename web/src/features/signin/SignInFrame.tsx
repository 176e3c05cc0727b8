import { Group, NativeSelect, Paper, Stack, Text, Title } from '@mantine/core';
import { type ReactNode, useEffect } from 'react';
import { useTranslation } from 'react-i18next';

import { useAppTitle } from '../../app/account';
import { boot } from '../../app/boot';
import { switchLanguage } from '../../app/i18n';
import { currentLanguage, type Language, LANGUAGES } from '../../app/language';
import { AppIcon } from '../supervisor/AppIcon';
import classes from './SignInPage.module.css';

/** The card in the middle of every screen that needs no sign-in. `heading` gets the title of the app. */
export function SignInFrame({ heading, children }: { heading: (title: string) => string; children: ReactNode }) {
  const { t } = useTranslation('signin');
  const title = useAppTitle();
  const text = heading(title);
  useEffect(() => {
    document.title = t('documentTitle', { heading: text });
  }, [t, text]);
  return (
    <main className={classes.page}>
      <Stack gap="lg" className={classes.column}>
        <Paper withBorder p={{ base: 'md', xs: 'xl' }} radius="lg" className={classes.card}>
          <Group gap="sm" mb="lg" wrap="nowrap">
            <AppIcon app={{ name: boot.app, displayName: title }} size={40} />
            <div className={classes.titles}>
              <Title order={1} size="h3" lineClamp={2}>
                {text}
              </Title>
              {boot.basePath && (
                <Text size="sm" c="dimmed">
                  {boot.basePath}
                </Text>
              )}
            </div>
          </Group>
          {children}
        </Paper>
        <LanguageSelect />
      </Stack>
    </main>
  );
}

function LanguageSelect() {
  const { t } = useTranslation('signin');
  return (
    <NativeSelect
      size="sm"
      aria-label={t('language')}
      className={classes.language}
      data={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))}
      defaultValue={currentLanguage()}
      onChange={(event) => void switchLanguage(event.currentTarget.value as Language)}
    />
  );
}
