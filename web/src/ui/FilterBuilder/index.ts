export { FilterButton } from './FilterButton';
export { FilterPills } from './FilterPills';
export { bothFilters, isFilter, type Filter } from './grammar';
export type { FilterField } from './types';
