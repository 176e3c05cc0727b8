import { Button, Group, Input, NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { saveSystemSettings, systemSettingsQuery } from '../../app/account';
import { switchLanguage } from '../../app/i18n';
import { currentLanguage, type Language, LANGUAGES } from '../../app/language';
import builtIn from '../../assets/icon.svg';
import { PictureButton } from '../../ui/PictureButton';
import classes from './SetupWizard.module.css';
import { StepForm } from './StepForm';

/** What the platform is called, its picture, and its language. */
export function PlatformStep({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation('setup');
  const settings = useQuery(systemSettingsQuery).data;
  const [title, setTitle] = useState(settings?.title ?? '');
  const [logo, setLogo] = useState(settings?.options?.logo ?? null);
  const [language, setLanguage] = useState<Language>(currentLanguage());
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);

  const save = async () => {
    setBusy(true);
    setError(null);
    try {
      const enabled = new Set([language, ...(settings?.enabledLanguages ?? [])]);
      await saveSystemSettings({
        title: title.trim() || 'Atoll',
        appLang: language,
        enabledLanguages: [...enabled],
        options: { logo },
      });
      await switchLanguage(language);
      onDone();
    } catch (problem) {
      setError(problem as Error);
      setBusy(false);
    }
  };

  return (
    <StepForm about={t('platform.about')} error={error} busy={busy} verb={t('saveStep')} onSubmit={() => void save()} onSkip={onDone}>
      <TextInput
        data-autofocus
        label={t('platform.name')}
        maxLength={80}
        value={title}
        onChange={(event) => setTitle(event.currentTarget.value)}
      />
      <Input.Wrapper label={t('platform.logo')} description={t('platform.logoHint')} labelElement="div">
        <Group gap="md" mt="xs" wrap="nowrap">
          <span className={classes.logo}>
            <img src={logo ?? builtIn} width={44} height={44} alt={t('platform.logoPreview')} />
          </span>
          <PictureButton label={t('platform.logoUpload')} onPicture={setLogo} />
          {logo && (
            <Button size="xs" variant="subtle" color="gray" onClick={() => setLogo(null)}>
              {t('platform.logoRemove')}
            </Button>
          )}
        </Group>
      </Input.Wrapper>
      <NativeSelect
        label={t('platform.language')}
        description={t('platform.languageHint')}
        value={language}
        data={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))}
        onChange={(event) => setLanguage(event.currentTarget.value as Language)}
      />
    </StepForm>
  );
}
