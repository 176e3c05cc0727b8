export const DETAIL_TABS = ['overview', 'runtime', 'logs', 'metrics', 'settings', 'danger'] as const;
export type DetailTab = (typeof DETAIL_TABS)[number];

export const ENVIRONMENT_TABS = ['overview', 'logs', 'metrics'] as const;
export type EnvironmentTab = (typeof ENVIRONMENT_TABS)[number];
