import { usePreference } from './preferences';

export const DENSITIES = ['compact', 'normal', 'comfortable'] as const;
export type Density = (typeof DENSITIES)[number];

/** The row height of lists for which nothing else was chosen. */
export function useUsualDensity(): Density {
  const [value] = usePreference('density');
  return DENSITIES.find((each) => each === value) ?? 'normal';
}
