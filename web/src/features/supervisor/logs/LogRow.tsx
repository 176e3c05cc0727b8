import { ActionIcon, Text, Tooltip } from '@mantine/core';
import { IconFilter } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { zone } from '../../../app/zone';
import { CopyText } from '../../../ui/CopyText';
import { type LogLine, sentenceOf, severityOf } from './model';
import classes from './Logs.module.css';

interface Props {
  line: LogLine;
  /** Whether lines of several environments are shown together. */
  tagged: boolean;
  onFilter?: (name: string, value: string) => void;
}

/** One line; a click shows all that it holds. */
export function LogRow({ line, tagged, onFilter }: Props) {
  const { t, i18n } = useTranslation('supervisor');
  const [open, setOpen] = useState(false);
  const at = new Date(line.time);
  const clock = new Intl.DateTimeFormat(i18n.language, {
    hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, hourCycle: 'h23', timeZone: zone.get(),
  }).format(at);
  return (
    <li className={classes.row} data-severity={severityOf(line)}>
      <button type="button" className={classes.line} aria-expanded={open} onClick={() => setOpen(!open)}>
        <time className={classes.time} dateTime={line.time} title={at.toISOString()}>
          {clock}
        </time>
        <span className={classes.level}>{line.level}</span>
        {tagged && <span className={classes.tag}>{line.app === 'main' ? line.environment : `${line.app} · ${line.environment}`}</span>}
        <span className={classes.message}>{sentenceOf(line)}</span>
      </button>
      {open && (
        <div className={classes.details}>
          <dl className={classes.fields}>
            <Field name="time" value={at.toISOString()} />
            {Object.entries(line.fields).map(([name, value]) => (
              <Field key={name} name={name} value={typeof value === 'string' ? value : JSON.stringify(value)} onFilter={onFilter} />
            ))}
          </dl>
          <CopyText text={JSON.stringify(line, null, 2)} label={t('logs.copyLine')} />
        </div>
      )}
    </li>
  );
}

const LONG = 120;

function Field({ name, value, onFilter }: { name: string; value: string; onFilter?: Props['onFilter'] }) {
  const { t } = useTranslation('supervisor');
  return (
    <>
      <dt>{name}</dt>
      <dd>
        <Text span inherit className={classes.value}>
          {value}
        </Text>
        {onFilter && value.length <= LONG && (
          <Tooltip label={t('logs.filterBy', { value })}>
            <ActionIcon size={24} variant="subtle" color="gray" aria-label={t('logs.filterBy', { value })} onClick={() => onFilter(name, value)}>
              <IconFilter size={14} aria-hidden />
            </ActionIcon>
          </Tooltip>
        )}
      </dd>
    </>
  );
}
