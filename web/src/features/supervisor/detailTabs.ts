export const DETAIL_TABS = ['overview', 'runtime', 'settings', 'danger'] as const;
export type DetailTab = (typeof DETAIL_TABS)[number];
