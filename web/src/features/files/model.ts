/** Storages of files, and their form. */
import { queryOptions } from '@tanstack/react-query';
import { api } from '../../app/api';

export interface StorageRow {
  id: number;
  name: string;
  title?: string | null;
  type: string;
  path?: string | null;
  baseUrl?: string | null;
  renameMode: string;
  default?: boolean;
  paranoid?: boolean;
  rules?: { size?: number; mimetype?: string | string[] } | null;
  options?: Record<string, unknown> | null;
}

/** What is typed into the form; empty texts are left out of the request. */
export interface StorageDraft {
  title: string;
  name: string;
  type: 'local' | 's3';
  path: string;
  documentRoot: string;
  bucket: string;
  region: string;
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** In megabytes. */
  size: number | '';
  mimetype: string;
  renameMode: string;
  isDefault: boolean;
  paranoid: boolean;
}

export const RENAME_MODES = ['appendRandomID', 'random', 'none'] as const;


const MEGABYTE = 1024 * 1024;
const S3_OPTIONS = ['bucket', 'region', 'endpoint', 'accessKeyId', 'secretAccessKey'] as const;

export const storagesQuery = queryOptions({
  queryKey: ['storages', 'all'],
  queryFn: async ({ signal }) => (await api.resource<StorageRow>('storages').list({ paginate: false, sort: ['id'] }, signal)).data,
});

export const titleOf = (row: StorageRow): string => row.title || row.name;

export const kindsOf = (row: StorageRow): string => {
  const kinds = row.rules?.mimetype;
  return Array.isArray(kinds) ? kinds.join(', ') : (kinds ?? '');
};

export function draftOf(row: StorageRow | null): StorageDraft {
  const option = (name: string) => (typeof row?.options?.[name] === 'string' ? row.options[name] : '');
  return {
    title: row?.title ?? '',
    name: row?.name ?? '',
    type: row?.type === 's3' ? 's3' : 'local',
    path: row?.path ?? '',
    documentRoot: option('documentRoot'),
    bucket: option('bucket'),
    region: option('region'),
    endpoint: option('endpoint'),
    accessKeyId: option('accessKeyId'),
    secretAccessKey: option('secretAccessKey'),
    size: row ? (row.rules?.size ? row.rules.size / MEGABYTE : '') : 20,
    mimetype: row ? kindsOf(row) : '',
    renameMode: row?.renameMode ?? RENAME_MODES[0],
    isDefault: row?.default === true,
    paranoid: row?.paranoid === true,
  };
}

/** The body of `storages:create`, `update` and `test`; what the form does not show of a storage stays. */
export function bodyOf(draft: StorageDraft, row: StorageRow | null): Record<string, unknown> {
  const shown = draft.type === 's3' ? S3_OPTIONS : (['documentRoot'] as const);
  const options = Object.fromEntries(shown.flatMap((name) => (draft[name].trim() ? [[name, draft[name].trim()] as const] : [])));
  const kept = Object.fromEntries(Object.entries(row?.options ?? {}).filter(([name]) => !(shown as readonly string[]).includes(name)));
  const kinds = draft.mimetype.split(',').map((kind) => kind.trim()).filter(Boolean);
  return {
    title: draft.title.trim() || draft.name,
    name: draft.name,
    type: draft.type,
    path: draft.path.trim(),
    options: { ...kept, ...options },
    rules: { ...(draft.size === '' ? {} : { size: Math.round(draft.size * MEGABYTE) }), ...(kinds.length > 0 ? { mimetype: kinds } : {}) },
    renameMode: draft.renameMode,
    ...(row?.default === true ? {} : { default: draft.isDefault }),
    paranoid: draft.paranoid,
  };
}
