import { Button, Group, Modal, Stack, Stepper } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ErrorState } from '../../ui/ErrorState';
import { collectionTitle, type CollectionMeta } from '../data/model';
import { collectionsQuery } from '../data/queries';
import { isUnfinished } from '../tasks/model';
import { dismissTask, startTask, useTask } from '../tasks/queries';
import { CheckStep } from './CheckStep';
import { firstDraft, obstacle, requestOf, type ImportDraft, type Inspection } from './importDraft';
import { MapStep } from './MapStep';
import { RunStep } from './RunStep';
import { UploadStep } from './UploadStep';

interface Props {
  collection: CollectionMeta;
  onClose: () => void;
  onImported: () => void;
}

const NO_COLLECTIONS: CollectionMeta[] = [];
const STEPS = ['upload', 'map', 'check', 'run'] as const;

/** Four steps from a file to records: upload, map, check, run. */
export default function ImportWizard({ collection, onClose, onImported }: Props) {
  const { t } = useTranslation('transfer');
  const client = useQueryClient();
  const { data: others = NO_COLLECTIONS } = useQuery(collectionsQuery);
  const phone = useMediaQuery('(max-width: 47.99em)', undefined, { getInitialValueInEffect: false });
  const [step, setStep] = useState(0);
  const [draft, setDraft] = useState<ImportDraft | null>(null);
  const [checkId, setCheckId] = useState<string | null>(null);
  const [runId, setRunId] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const check = useTask(checkId);
  const run = useTask(runId);
  const ended = run !== undefined && !isUnfinished(run);
  const latest = useRef(onImported);
  useEffect(() => {
    latest.current = onImported;
  });
  useEffect(() => {
    if (ended) latest.current();
  }, [ended]);

  const take = (inspection: Inspection) => {
    setDraft(firstDraft(collection, others, inspection));
    setStep(1);
  };
  const start = async (dryRun: boolean) => {
    if (!draft) return;
    setBusy(true);
    setError(null);
    try {
      const task = await startTask(client, 'import', requestOf(collection, draft, dryRun), { show: false, title: draft.inspection.filename });
      if (dryRun) setCheckId(task.id);
      else setRunId(task.id);
      setStep(dryRun ? 2 : 3);
    } catch (problem) {
      setError(problem as Error);
    } finally {
      setBusy(false);
    }
  };
  const leave = () => {
    // The check was for this dialog alone.
    if (check && !isUnfinished(check)) void dismissTask(client, check).catch(() => undefined);
    onClose();
  };
  const checked = check !== undefined && check.status === 1;
  const importable = checked && Number(check.result?.created ?? 0) + Number(check.result?.updated ?? 0) > 0;
  const clean = checked && Number(check.result?.failed ?? 0) === 0;

  return (
    <Modal
      opened
      onClose={leave}
      title={t('import.title', { title: collectionTitle(collection) })}
      size="xl"
      fullScreen={phone}
      closeButtonProps={{ size: 'md' }}
      closeOnClickOutside={draft === null || step === 3}
    >
      <Stack gap="lg">
        <Stepper active={ended ? 4 : step} size="sm" aria-label={t('import.steps')} iconSize={phone ? 26 : 30} wrap={false} allowNextStepsSelect={false}>
          {STEPS.map((name, index) => (
            <Stepper.Step key={name} {...(phone ? { 'aria-label': `${index + 1} ${t(`import.${name}`)}` } : { label: t(`import.${name}`) })} />
          ))}
        </Stepper>
        {step === 0 && <UploadStep collection={collection} others={others} onTaken={take} />}
        {step === 1 && draft && <MapStep collection={collection} others={others} draft={draft} onDraft={setDraft} />}
        {step === 2 && draft && <CheckStep collection={collection} draft={draft} task={check} onDraft={setDraft} />}
        {step === 3 && <RunStep task={run} />}
        {error && <ErrorState error={error} />}
        <Group justify="space-between">
          <span>
            {(step === 1 || step === 2) && (
              <Button variant="subtle" color="gray" onClick={() => setStep(step - 1)} disabled={busy}>
                {t('back')}
              </Button>
            )}
          </span>
          <Group gap="xs">
            <Button variant={step === 3 ? 'filled' : 'default'} onClick={leave}>
              {t(step === 3 ? 'close' : 'cancel')}
            </Button>
            {step === 1 && draft && (
              <Button onClick={() => void start(true)} loading={busy} disabled={obstacle(draft) !== null}>
                {t('import.toCheck')}
              </Button>
            )}
            {step === 2 && draft && (
              <Button onClick={() => void start(false)} loading={busy} disabled={!importable || (draft.onError === 'stop' && !clean)}>
                {t('import.start')}
              </Button>
            )}
          </Group>
        </Group>
      </Stack>
    </Modal>
  );
}
