/** Files as values: small pictures in lists, a row of them on a record's page. */
import { UnstyledButton } from '@mantine/core';
import { IconFile, IconFileText, IconFileZip, IconMovie, IconMusic, IconPhoto, IconTable } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ViewProps } from '../types';
import { contentQuery, fileName, fileSize, filesOf, isPicture, useObjectUrl, type FileRecord } from './fileModel';
import classes from './files.module.css';
import { Nothing } from './plain';

const Lightbox = lazy(async () => ({ default: (await import('./Lightbox')).Lightbox }));

const IN_CELL = 3;
const COLLECTION = 'attachments';

function iconOf(file: FileRecord) {
  const type = file.mimetype ?? '';
  if (type.startsWith('image/')) return IconPhoto;
  if (type.startsWith('video/')) return IconMovie;
  if (type.startsWith('audio/')) return IconMusic;
  if (type.startsWith('text/') || type === 'application/pdf') return IconFileText;
  if (/sheet|excel|csv/.test(type)) return IconTable;
  return /zip|compressed|tar/.test(type) ? IconFileZip : IconFile;
}

/** A small picture of a file, or a sign of its kind. */
export function Thumb({ file, size }: { file: FileRecord; size: number }) {
  const { data } = useQuery({ ...contentQuery(COLLECTION, file, true), enabled: isPicture(file) });
  const url = useObjectUrl(data);
  const Icon = iconOf(file);
  return (
    <span className={classes.thumb} style={{ width: size, height: size }}>
      {url ? <img src={url} alt="" width={size} height={size} draggable={false} /> : <Icon size={size * 0.6} stroke={1.5} aria-hidden />}
    </span>
  );
}

/** Three small pictures and the number of the others; the names are in the label. */
export function FilesCell({ value }: ViewProps) {
  const files = filesOf(value);
  if (files.length === 0) return <Nothing />;
  const names = files.map(fileName).join(', ');
  return (
    <span className={classes.cell} title={names} role="img" aria-label={names}>
      {files.slice(0, IN_CELL).map((file) => (
        <Thumb key={file.id} file={file} size={24} />
      ))}
      {files.length > IN_CELL && <span>+{files.length - IN_CELL}</span>}
    </span>
  );
}

/** All files; each opens in front of the page. */
export function FilesView({ value }: ViewProps) {
  const { i18n } = useTranslation('fields');
  const [shown, setShown] = useState<number | null>(null);
  const files = filesOf(value);
  if (files.length === 0) return <Nothing />;
  return (
    <>
      <span className={classes.grid}>
        {files.map((file, index) => (
          <UnstyledButton key={file.id} className={classes.card} onClick={() => setShown(index)} aria-haspopup="dialog">
            <Thumb file={file} size={72} />
            <span className={classes.name}>{fileName(file)}</span>
            <span className={classes.facts}>{fileSize(file.size ?? 0, i18n.language)}</span>
          </UnstyledButton>
        ))}
      </span>
      {shown !== null && (
        <Suspense>
          <Lightbox collection={COLLECTION} files={files} index={shown} onIndex={setShown} onClose={() => setShown(null)} />
        </Suspense>
      )}
    </>
  );
}
