/** Files as the API describes them. */
import { queryOptions, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api } from '../../app/api';

export interface FileRecord {
  id: number | string;
  title?: string | null;
  extname?: string | null;
  size?: number | null;
  mimetype?: string | null;
  [column: string]: unknown;
}

export interface StorageRules {
  size?: number;
  mimetype?: string | string[];
}

/** Pictures that the server makes small ones of. */
const PICTURES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/bmp']);

export const isPicture = (file: FileRecord): boolean => PICTURES.has(file.mimetype ?? '');

export const fileName = (file: FileRecord): string => `${file.title ?? file.id}${file.extname ?? ''}`;

export const filesOf = (value: unknown): FileRecord[] =>
  Array.isArray(value) ? value.filter((item): item is FileRecord => typeof item === 'object' && item !== null && 'id' in item) : [];

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;

/** "1.5 MB", in the user's language. */
export function fileSize(bytes: number, language: string): string {
  const step = Math.min(Math.floor(Math.log(Math.max(bytes, 1)) / Math.log(1024)), UNITS.length - 1);
  const format = { style: 'unit', unit: UNITS[step] ?? 'byte', unitDisplay: step === 0 ? 'long' : 'short', maximumFractionDigits: step < 2 ? 0 : 1 } as const;
  return new Intl.NumberFormat(language, format).format(bytes / 1024 ** step);
}

/** The rules of the storage that files of a field go to; null while unknown. */
export function useRules(storage: unknown): StorageRules | null {
  const name = typeof storage === 'string' ? storage : undefined;
  const { data } = useQuery({
    queryKey: ['storage-rules', name ?? ''],
    queryFn: ({ signal }) => api.call<{ rules?: StorageRules } | null>('storages:getBasicInfo', { params: { filterByTk: name }, signal }),
    staleTime: 60_000,
  });
  return data?.rules ?? null;
}

export const patternsOf = ({ mimetype }: StorageRules): string[] => (Array.isArray(mimetype) ? mimetype : (mimetype ?? '').split(',')).map((each) => each.trim()).filter(Boolean);

/** Key of the reason why a file will be refused; null when the server has to look at it. */
export function refusal(file: File, rules: StorageRules | null): 'files.tooLarge' | 'files.wrongKind' | null {
  if (rules?.size !== undefined && file.size > rules.size) return 'files.tooLarge';
  const patterns = rules ? patternsOf(rules) : [];
  // A browser that does not know the type leaves the question to the server.
  if (patterns.length === 0 || !file.type) return null;
  const fits = (pattern: string) => pattern === '*' || pattern === file.type || (pattern.endsWith('/*') && file.type.startsWith(pattern.slice(0, -1)));
  return patterns.some(fits) ? null : 'files.wrongKind';
}

export const contentQuery = (collection: string, file: FileRecord, preview: boolean) =>
  queryOptions({
    queryKey: ['file', collection, String(file.id), preview],
    queryFn: ({ signal }) => api.file(`${collection}:getFile`, { params: { filterByTk: file.id, preview: preview ? 1 : undefined }, signal, quiet: true }),
    // A file never changes.
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });

/** An address for a picture that is here; it is given up with the component. */
export function useObjectUrl(content: Blob | undefined): string | undefined {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    if (!content) return undefined;
    const made = URL.createObjectURL(content);
    setUrl(made);
    return () => {
      URL.revokeObjectURL(made);
      setUrl(undefined);
    };
  }, [content]);
  return url;
}
