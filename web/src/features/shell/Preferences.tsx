import { Modal, NativeSelect, SegmentedControl, Stack, Switch, Text, useMantineColorScheme } from '@mantine/core';
import { useTranslation } from 'react-i18next';

import { switchLanguage } from '../../app/i18n';
import { type Language, LANGUAGES } from '../../app/language';
import { usePreference } from '../../app/preferences';

const SCHEMES = ['auto', 'light', 'dark'] as const;

interface Props {
  opened: boolean;
  onClose: () => void;
}

/** How the screens look and behave for this person; changes hold at once. */
export function Preferences({ opened, onClose }: Props) {
  const { t, i18n } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const [still, setStill] = usePreference('reducedMotion');
  const [noLetters, setNoLetters] = usePreference('letterKeysOff');
  return (
    <Modal opened={opened} onClose={onClose} title={t('preferences.title')} size="md">
      <Stack gap="lg">
        <div>
          <Text size="sm" fw={500} mb={4}>
            {t('account.theme')}
          </Text>
          <SegmentedControl
            fullWidth
            aria-label={t('account.theme')}
            value={colorScheme}
            onChange={(scheme) => setColorScheme(scheme as (typeof SCHEMES)[number])}
            data={SCHEMES.map((scheme) => ({ value: scheme, label: t(`theme.${scheme}`) }))}
          />
        </div>
        <NativeSelect
          label={t('account.language')}
          value={i18n.language}
          data={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))}
          onChange={(event) => void switchLanguage(event.currentTarget.value as Language)}
        />
        <Switch
          label={t('preferences.still')}
          description={t('preferences.stillHint')}
          checked={still === true}
          onChange={(event) => setStill(event.currentTarget.checked || undefined)}
        />
        <Switch
          label={t('preferences.letters')}
          description={t('preferences.lettersHint')}
          checked={noLetters !== true}
          onChange={(event) => setNoLetters(event.currentTarget.checked ? undefined : true)}
        />
      </Stack>
    </Modal>
  );
}
