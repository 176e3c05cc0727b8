import { Button, Divider, Modal, NativeSelect, SegmentedControl, Select, Stack, Switch, Text, useMantineColorScheme } from '@mantine/core';
import { IconKeyboard } from '@tabler/icons-react';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';

import { DENSITIES, useUsualDensity } from '../../app/density';
import { switchLanguage } from '../../app/i18n';
import { type Language, LANGUAGES } from '../../app/language';
import { usePreference } from '../../app/preferences';
import { allZones, isZone, offsetOf, ownZone } from '../../app/zone';
import { dayName, FIRST_DAYS, usualFirstDay } from '../../app/week';

const SCHEMES = ['auto', 'light', 'dark'] as const;

interface Props {
  opened: boolean;
  onClose: () => void;
  /** Shows all keys. */
  onHelp: () => void;
}

/** How the screens look and behave for this person; changes hold at once. */
export function Preferences({ opened, onClose, onHelp }: Props) {
  const { t, i18n } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const [still, setStill] = usePreference('reducedMotion');
  const density = useUsualDensity();
  const [, setDensity] = usePreference('density');
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
        <TimeZone />
        <FirstDay />
        <div>
          <Text size="sm" fw={500} mb={4}>
            {t('preferences.density')}
          </Text>
          <SegmentedControl
            fullWidth
            aria-label={t('preferences.density')}
            value={density}
            onChange={(next) => setDensity(next === 'normal' ? undefined : next)}
            data={DENSITIES.map((value) => ({ value, label: t(`preferences.${value}`) }))}
          />
        </div>
        <Switch
          label={t('preferences.still')}
          description={t('preferences.stillHint')}
          checked={still === true}
          onChange={(event) => setStill(event.currentTarget.checked || undefined)}
        />
        <Divider label={t('preferences.keys')} labelPosition="left" />
        <Switch
          label={t('preferences.letters')}
          description={t('preferences.lettersHint')}
          checked={noLetters !== true}
          onChange={(event) => setNoLetters(event.currentTarget.checked ? undefined : true)}
        />
        <Button variant="default" leftSection={<IconKeyboard size={16} aria-hidden />} onClick={onHelp}>
          {t('preferences.allKeys')}
        </Button>
      </Stack>
    </Modal>
  );
}

function FirstDay() {
  const { t, i18n } = useTranslation();
  const [choice, setChoice] = usePreference('firstDay');
  const usual = dayName(usualFirstDay(i18n.language), i18n.language);
  return (
    <NativeSelect
      label={t('preferences.firstDay')}
      value={FIRST_DAYS.find((day) => day === choice) ?? ''}
      data={[
        { value: '', label: t('preferences.firstDayUsual', { day: usual }) },
        ...FIRST_DAYS.map((day) => ({ value: String(day), label: dayName(day, i18n.language) })),
      ]}
      onChange={({ currentTarget: { value } }) => setChoice(value === '' ? undefined : Number(value))}
    />
  );
}

/** With its distance from UTC, today: "Asia/Kolkata (UTC+05:30)". */
const withOffset = (name: string): string => `${name.replaceAll('_', ' ')} (UTC${offsetOf(name)})`;

function TimeZone() {
  const { t } = useTranslation();
  const [choice, setChoice] = usePreference('timeZone');
  const data = useMemo(() => allZones().map((name) => ({ value: name, label: withOffset(name) })), []);
  return (
    <Select
      label={t('preferences.zone')}
      description={t('preferences.zoneHint')}
      placeholder={t('preferences.zoneUsual', { zone: withOffset(ownZone()) })}
      nothingFoundMessage={t('preferences.zoneNone')}
      searchable
      clearable
      limit={60}
      data={data}
      value={isZone(choice) ? choice : null}
      onChange={(name) => setChoice(name ?? undefined)}
    />
  );
}
