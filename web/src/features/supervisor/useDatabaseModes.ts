import { useQuery } from '@tanstack/react-query';

import type { DatabaseMode, Finding } from './model';
import { databaseModes } from './queries';

const FRESH_MS = 60_000;

/** For each kind of database of the platform's own: what stands against it, null for nothing; empty while unknown. */
export function useDatabaseModes(environments: string[]): Partial<Record<DatabaseMode, Finding | null>> {
  const { data } = useQuery({
    queryKey: ['databaseModes', ...environments],
    queryFn: ({ signal }) => databaseModes(environments, signal),
    enabled: environments.length > 0,
    staleTime: FRESH_MS,
    retry: false,
  });
  return data ?? {};
}
