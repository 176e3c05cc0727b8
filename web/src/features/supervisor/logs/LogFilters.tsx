import { CloseButton, Group, NativeSelect, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

import classes from './Logs.module.css';
import { DEFAULT_RANGE, LOG_KINDS, LOG_LEVELS, LOG_RANGES, type LogSearch } from './model';

const TYPING_MS = 350;

interface Props {
  search: LogSearch;
  onChange: (change: LogSearch) => void;
  /** To choose from; none for lines of one environment. */
  environments: string[];
}

export function LogFilters({ search, onChange, environments }: Props) {
  const { t } = useTranslation('supervisor');
  const choices = [
    {
      key: 'level', label: t('logs.level'), value: search.level ?? '',
      data: [{ value: '', label: t('logs.anyLevel') }, ...LOG_LEVELS.slice(1).map((value) => ({ value, label: t(`logs.levels.${value}`) }))],
    },
    {
      key: 'kind', label: t('logs.kind'), value: search.kind ?? '',
      data: [{ value: '', label: t('logs.anyKind') }, ...LOG_KINDS.map((value) => ({ value, label: t(`logs.kinds.${value}`) }))],
    },
    ...(environments.length > 1
      ? [{ key: 'in', label: t('runtime.environment'), value: search.in ?? '', data: [{ value: '', label: t('apps.anyEnvironment') }, ...environments] }]
      : []),
    {
      key: 'range', label: t('logs.range'), value: search.range ?? DEFAULT_RANGE,
      data: Object.keys(LOG_RANGES).map((value) => ({ value, label: t(`logs.ranges.${value}`) })),
    },
  ];
  return (
    <Group gap="xs" align="flex-end">
      <Typed label={t('logs.text')} value={search.text ?? ''} onChange={(text) => onChange({ text: text || undefined })} />
      <Typed label={t('logs.request')} value={search.request ?? ''} onChange={(request) => onChange({ request: request || undefined })} />
      {choices.map(({ key, label, value, data }) => (
        <NativeSelect
          key={key}
          aria-label={label}
          value={value}
          data={data}
          onChange={(event) => onChange({ [key]: event.currentTarget.value === DEFAULT_RANGE ? undefined : event.currentTarget.value || undefined })}
        />
      ))}
    </Group>
  );
}

/** Asks a moment after the last letter, not at each. */
function Typed({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
  const { t } = useTranslation('supervisor');
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  const tell = useDebouncedCallback(onChange, TYPING_MS);
  const take = (text: string) => {
    setTyped(text);
    tell(text.trim());
  };
  return (
    <TextInput
      type="search"
      className={classes.search}
      aria-label={label}
      placeholder={label}
      leftSection={<IconSearch size={16} aria-hidden />}
      rightSection={typed && <CloseButton size="sm" aria-label={t('logs.clear')} onClick={() => take('')} />}
      maxLength={200}
      value={typed}
      onChange={(event) => take(event.currentTarget.value)}
    />
  );
}
