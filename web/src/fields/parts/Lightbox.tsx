/** Files one by one in front of the page: pictures, films, sounds and texts; others can be saved. */
import { ActionIcon, Button, Group, Loader, Modal, Text } from '@mantine/core';
import { IconChevronLeft, IconChevronRight, IconDownload } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../../app/api';
import { saveFile } from '../../app/download';
import { ErrorState } from '../../ui/ErrorState';
import { toast } from '../../ui/toasts';
import { contentQuery, fileName, fileSize, isPicture, useObjectUrl, type FileRecord } from './fileModel';
import classes from './files.module.css';

interface Props {
  collection: string;
  files: FileRecord[];
  index: number;
  onIndex: (index: number) => void;
  onClose: () => void;
}

/** Larger texts are only saved. */
const MOST_TEXT_BYTES = 500_000;

export function Lightbox({ collection, files, index, onIndex, onClose }: Props) {
  const { t, i18n } = useTranslation('fields');
  const client = useQueryClient();
  const file = files[index];
  const move = (step: number) => onIndex((index + step + files.length) % files.length);
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') move(event.key === 'ArrowLeft' ? -1 : 1);
    };
    window.addEventListener('keydown', listen);
    return () => window.removeEventListener('keydown', listen);
  });
  if (!file) return null;
  const save = async () => saveFile(await client.fetchQuery(contentQuery(collection, file, false)), fileName(file));
  return (
    <Modal
      opened
      onClose={onClose}
      size="xl"
      title={fileName(file)}
      closeButtonProps={{ size: 'lg', 'aria-label': t('files.close') }}
      styles={{ title: { overflowWrap: 'anywhere' } }}
    >
      <Content key={file.id} collection={collection} file={file} />
      <Group justify="space-between" mt="md">
        <Text size="sm" c="dimmed">
          {[fileSize(file.size ?? 0, i18n.language), file.mimetype, files.length > 1 ? t('files.place', { number: index + 1, count: files.length }) : ''].filter(Boolean).join(' · ')}
        </Text>
        <Group gap="xs">
          {files.length > 1 && (
            <>
              <ActionIcon variant="default" size={36} onClick={() => move(-1)} aria-label={t('files.previous')}>
                <IconChevronLeft size={18} />
              </ActionIcon>
              <ActionIcon variant="default" size={36} onClick={() => move(1)} aria-label={t('files.next')}>
                <IconChevronRight size={18} />
              </ActionIcon>
            </>
          )}
          <Button leftSection={<IconDownload size={16} aria-hidden />} variant="default" onClick={() => void save().catch(toast.error)}>
            {t('files.download')}
          </Button>
        </Group>
      </Group>
    </Modal>
  );
}

function Content({ collection, file }: { collection: string; file: FileRecord }) {
  const { t } = useTranslation('fields');
  const type = file.mimetype ?? '';
  const isText = /^text\/(plain|csv|markdown)$/.test(type) && (file.size ?? 0) <= MOST_TEXT_BYTES;
  if (isPicture(file) || isText) return <Here collection={collection} file={file} isText={isText} />;
  if (type.startsWith('video/') || type.startsWith('audio/')) return <Played collection={collection} file={file} />;
  return (
    <div className={classes.shown}>
      <Text c="dimmed">{t('files.noPreview')}</Text>
    </div>
  );
}

/** A picture or a text that is fetched as a whole. */
function Here({ collection, file, isText }: { collection: string; file: FileRecord; isText: boolean }) {
  const { data, error } = useQuery(contentQuery(collection, file, false));
  const url = useObjectUrl(isText ? undefined : data);
  const [text, setText] = useState<string>();
  useEffect(() => {
    if (isText) void data?.text().then(setText);
  }, [data, isText]);
  if (error) return <ErrorState error={error} />;
  return (
    <div className={classes.shown}>
      {url && <img src={url} alt={fileName(file)} />}
      {text !== undefined && <pre tabIndex={0}>{text}</pre>}
      {!url && text === undefined && <Loader />}
    </div>
  );
}

/** A film or a sound: the browser fetches the parts it plays, by an address that works for a while. */
function Played({ collection, file }: { collection: string; file: FileRecord }) {
  const { data, error } = useQuery({
    queryKey: ['file-address', collection, String(file.id)],
    queryFn: () => api.call<{ url: string }>(`${collection}:createTemporaryURL`, { method: 'POST', params: { filterByTk: file.id } }),
    staleTime: 60_000,
  });
  if (error) return <ErrorState error={error} />;
  const isFilm = file.mimetype?.startsWith('video/');
  return (
    <div className={classes.shown}>
      {data && (isFilm ? <video src={data.url} controls aria-label={fileName(file)} /> : <audio src={data.url} controls aria-label={fileName(file)} />)}
    </div>
  );
}
