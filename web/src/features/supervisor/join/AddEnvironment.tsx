import { Button, Code, Group, Modal, NumberInput, Radio, ScrollArea, Stack, Stepper, Text, TextInput, VisuallyHidden } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconDownload, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { api } from '../../../app/api';
import { saveFile } from '../../../app/download';
import { CopyText } from '../../../ui/CopyText';
import { useEnvironments } from '../queries';
import { ENVIRONMENT_NAME, FILE_NAMES, isAddress, JOIN_KINDS, type JoinKind, type JoinValues, snippet } from './snippets';
import { Waiting } from './Waiting';

const STEPS = ['kind', 'place', 'run', 'wait'] as const;
const FIRST: JoinValues = { kind: 'compose', name: '', url: '', proxyUrl: '', port: 15_000 };

/** The button and its wizard; nothing on a single server, which is its own only environment. */
export function AddEnvironment() {
  const { t } = useTranslation('supervisor');
  const [open, setOpen] = useState(false);
  const { data } = useQuery({
    queryKey: ['joining'],
    queryFn: ({ signal }) => api.call<{ possible: boolean; version: string }>('environments:joining', { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (!data?.possible) return null;
  return (
    <>
      <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setOpen(true)}>
        {t('join.open')}
      </Button>
      {open && <Wizard version={data.version} onClose={() => setOpen(false)} />}
    </>
  );
}

function Wizard({ version, onClose }: { version: string; onClose: () => void }) {
  const { t } = useTranslation('supervisor');
  const phone = useMediaQuery('(max-width: 47.99em)', undefined, { getInitialValueInEffect: false });
  const [at, setAt] = useState(0);
  const [values, setValues] = useState(FIRST);
  const change = (more: Partial<JoinValues>) => setValues((before) => ({ ...before, ...more }));
  const taken = (useEnvironments().data ?? []).some((each) => each.name === values.name);
  const nameGood = ENVIRONMENT_NAME.test(values.name) && (!taken || at > 1);
  const complete = nameGood && isAddress(values.url) && (values.proxyUrl === '' || isAddress(values.proxyUrl));
  return (
    <Modal opened onClose={onClose} size={820} fullScreen={phone} title={t('join.title')} closeButtonProps={{ size: 'md' }}>
      <Stepper active={at} size="sm" wrap={false} allowNextStepsSelect={false} onStepClick={setAt} mb="lg">
        {STEPS.map((step) => (
          <Stepper.Step key={step} label={phone ? <VisuallyHidden>{t(`join.steps.${step}`)}</VisuallyHidden> : t(`join.steps.${step}`)} />
        ))}
      </Stepper>
      <Stack gap="lg">
        {at === 0 && <Kind value={values.kind} onChange={(kind) => change({ kind })} />}
        {at === 1 && <Place values={values} onChange={change} taken={taken} />}
        {at === 2 && <Run values={values} version={version} />}
        {at === 3 && <Waiting values={values} version={version} />}
        <Group justify="flex-end" gap="xs">
          {at > 0 && (
            <Button variant="default" onClick={() => setAt(at - 1)}>
              {t('join.back')}
            </Button>
          )}
          {at < STEPS.length - 1 ? (
            <Button disabled={at === 1 && !complete} onClick={() => setAt(at + 1)}>
              {at === 2 ? t('join.started') : t('join.next')}
            </Button>
          ) : (
            <Button variant="default" onClick={onClose}>
              {t('join.close')}
            </Button>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}

function Kind({ value, onChange }: { value: JoinKind; onChange: (kind: JoinKind) => void }) {
  const { t } = useTranslation('supervisor');
  return (
    <Radio.Group label={t('join.where')} value={value} onChange={(kind) => onChange(kind as JoinKind)}>
      <Stack gap="sm" mt={6}>
        {JOIN_KINDS.map((kind) => (
          <Radio key={kind} value={kind} label={t(`join.kind.${kind}`)} description={t(`join.about.${kind}`)} />
        ))}
      </Stack>
    </Radio.Group>
  );
}

interface PlaceProps {
  values: JoinValues;
  onChange: (more: Partial<JoinValues>) => void;
  taken: boolean;
}

function Place({ values, onChange, taken }: PlaceProps) {
  const { t } = useTranslation('supervisor');
  const wrong = (text: string) => (text && !isAddress(text) ? t('join.addressRule') : null);
  const nameError = taken ? t('join.nameTaken') : values.name && !ENVIRONMENT_NAME.test(values.name) ? t('join.nameRule') : null;
  return (
    <>
      <TextInput
        data-autofocus
        withAsterisk
        label={t('join.name')}
        description={t('join.nameHint')}
        autoCapitalize="none"
        spellCheck={false}
        maxLength={63}
        value={values.name}
        error={nameError}
        onChange={(event) => onChange({ name: event.currentTarget.value.trim() })}
      />
      <TextInput
        withAsterisk
        label={t('environments.url')}
        description={t('join.urlHint')}
        placeholder="https://c.example.com"
        spellCheck={false}
        value={values.url}
        error={wrong(values.url)}
        onChange={(event) => onChange({ url: event.currentTarget.value.trim() })}
      />
      <TextInput
        label={t('environments.proxyUrl')}
        description={t('join.proxyHint')}
        placeholder="http://10.0.0.3:15000"
        spellCheck={false}
        value={values.proxyUrl}
        error={wrong(values.proxyUrl)}
        onChange={(event) => onChange({ proxyUrl: event.currentTarget.value.trim() })}
      />
      <NumberInput
        w={160}
        label={t('form.port')}
        min={1}
        max={65_535}
        hideControls
        value={values.port}
        onChange={(port) => onChange({ port: Number(port) || FIRST.port })}
      />
    </>
  );
}

function Run({ values, version }: { values: JoinValues; version: string }) {
  const { t } = useTranslation('supervisor');
  const text = snippet(values, version);
  const file = FILE_NAMES[values.kind](values.name);
  return (
    <Stack gap="sm">
      <Text size="sm">{t('join.runHint')}</Text>
      <ScrollArea.Autosize mah={360} viewportProps={{ tabIndex: 0, 'aria-label': file }}>
        <Code block>{text}</Code>
      </ScrollArea.Autosize>
      <Group gap="xs">
        <CopyText text={text} label={t('join.copy')} />
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<IconDownload size={14} aria-hidden />}
          onClick={() => saveFile(new Blob([text], { type: 'text/plain' }), file)}
        >
          {t('join.download', { file })}
        </Button>
      </Group>
    </Stack>
  );
}
