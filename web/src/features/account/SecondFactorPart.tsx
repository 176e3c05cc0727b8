import { Alert, Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { api } from '../../app/api';
import { CopyText } from '../../ui/CopyText';
import { ErrorState } from '../../ui/ErrorState';
import { toast } from '../../ui/toasts';
import { CodeField } from '../signin/CodeField';
import classes from './account.module.css';
import { secondFactorQuery, useRefresh } from './queries';

interface NewSecret {
  secret: string;
  uri: string;
  /** A QR code as a `data:` address. */
  picture: string;
}

type Step = { kind: 'enrol'; secret: NewSecret } | { kind: 'remove' } | { kind: 'renew' } | { kind: 'codes'; codes: string[] };

/** Switches the codes of an authenticator app on and off. */
export function SecondFactorPart() {
  const { t } = useTranslation('account');
  const { data, error, refetch } = useQuery(secondFactorQuery);
  const refresh = useRefresh(secondFactorQuery);
  const [step, setStep] = useState<Step | null>(null);
  const [busy, setBusy] = useState(false);
  const begin = async () => {
    setBusy(true);
    try {
      setStep({ kind: 'enrol', secret: await api.call<NewSecret>('auth:beginSecondFactor', { body: {} }) });
    } catch (problem) {
      toast.error(problem);
    } finally {
      setBusy(false);
    }
  };
  if (error) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (!data) return null;
  return (
    <>
      {data.enabled ? (
        <Stack gap="sm">
          <Text size="sm">{t('factor.on', { count: data.recoveryCodes })}</Text>
          <Group gap="xs">
            <Button variant="default" onClick={() => setStep({ kind: 'renew' })}>
              {t('factor.renew')}
            </Button>
            <Button variant="default" onClick={() => setStep({ kind: 'remove' })}>
              {t('factor.remove')}
            </Button>
          </Group>
        </Stack>
      ) : (
        <div>
          <Button variant="default" loading={busy} onClick={() => void begin()}>
            {t('factor.begin')}
          </Button>
        </div>
      )}
      {step && (
        <Modal opened onClose={() => setStep(null)} title={t(`factor.${step.kind}Title`)} closeOnClickOutside={false} size="md">
          {step.kind === 'codes' ? (
            <Codes codes={step.codes} onClose={() => setStep(null)} />
          ) : (
            <CodeForm
              step={step}
              onDone={async (codes) => {
                await refresh();
                setStep(codes ? { kind: 'codes', codes } : null);
                if (!codes) toast.success(t('factor.removed'));
              }}
            />
          )}
        </Modal>
      )}
    </>
  );
}

const ACTIONS = { enrol: 'confirmSecondFactor', renew: 'renewRecoveryCodes', remove: 'removeSecondFactor' } as const;

function CodeForm({ step, onDone }: { step: Exclude<Step, { kind: 'codes' }>; onDone: (codes?: string[]) => Promise<void> }) {
  const { t } = useTranslation('account');
  const [code, setCode] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const body = { code: code.trim() };
      const answer = await api.call<{ recoveryCodes: string[] } | undefined>(`auth:${ACTIONS[step.kind]}`, { body, quiet: true });
      await onDone(answer?.recoveryCodes);
    } catch (problem) {
      setError(problem as Error);
      setCode('');
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(event) => void send(event)}>
      <Stack gap="md">
        {step.kind === 'enrol' ? (
          <>
            <Text size="sm">{t('factor.scan')}</Text>
            <img src={step.secret.picture} alt={t('factor.picture')} className={classes.picture} />
            <Group gap={4}>
              <Text size="sm" ff="monospace" style={{ overflowWrap: 'anywhere' }}>
                {step.secret.secret}
              </Text>
              <CopyText text={step.secret.secret} name={t('factor.secret')} />
            </Group>
          </>
        ) : (
          <Text size="sm">{t(`factor.${step.kind}Text`)}</Text>
        )}
        {error && <ErrorState error={error} />}
        <CodeField value={code} onChange={setCode} />
        <Group justify="flex-end">
          <Button type="submit" loading={busy} color={step.kind === 'remove' ? 'red.8' : undefined}>
            {t(`factor.${step.kind}Submit`)}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Codes({ codes, onClose }: { codes: string[]; onClose: () => void }) {
  const { t } = useTranslation('account');
  return (
    <Stack gap="md">
      <Alert color="yellow" variant="light">
        {t('factor.codesText')}
      </Alert>
      <ul className={classes.codes} aria-label={t('factor.codesTitle')}>
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <Group justify="space-between">
        <CopyText text={codes.join('\n')} label={t('factor.copyCodes')} />
        <Button onClick={onClose}>{t('factor.kept')}</Button>
      </Group>
    </Stack>
  );
}
