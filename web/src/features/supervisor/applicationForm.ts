import type { AppOptions, AppRow, DatabaseMode, Finding } from './model';

export type AdminMode = 'copy' | 'environment' | 'own';

/** What the form holds: flat, so that each input has one place. */
export interface AppValues {
  displayName: string;
  name: string;
  icon: string;
  description: string;
  /** What the new app begins with; '' is nothing. */
  template: string;
  environments: string[];
  autoStart: boolean;
  mode: DatabaseMode;
  dialect: 'postgres' | 'sqlite';
  host: string;
  port: number | '';
  database: string;
  username: string;
  password: string;
  schema: string;
  storage: string;
  tablePrefix: string;
  cname: string;
  showInSwitcher: boolean;
  showInLauncher: boolean;
  pinned: boolean;
  sort: number | '';
  secret: string;
  adminMode: AdminMode;
  adminUsername: string;
  adminEmail: string;
  adminPassword: string;
}

export const NEW_APP: AppValues = {
  displayName: '',
  name: '',
  icon: '',
  description: '',
  template: '',
  environments: [],
  autoStart: false,
  mode: 'new_database',
  dialect: 'postgres',
  host: '',
  port: '',
  database: '',
  username: '',
  password: '',
  schema: '',
  storage: '',
  tablePrefix: '',
  cname: '',
  showInSwitcher: true,
  showInLauncher: true,
  pinned: false,
  sort: '',
  secret: '',
  adminMode: 'copy',
  adminUsername: '',
  adminEmail: '',
  adminPassword: '',
};

export const NAME_PATTERN = /^[a-z][a-z0-9_]{1,31}$/;
export const SECRET_LENGTH = 32;
const NAME_LENGTH = 32;
/** What the server shows in place of a secret; sent back, it keeps the secret. */
const PASSWORD_KEPT = '********';
const RANDOM_LETTERS = 8;

/** Allowed, and not used by another app. The server decides; this is the quick answer while typing. */
export function isFreeName(name: string, taken: string[]): boolean {
  return NAME_PATTERN.test(name) && name !== 'main' && !taken.includes(name);
}

/** An id nobody has, for titles without Latin letters. */
export function randomName(random: () => number = Math.random): string {
  const letters = Array.from({ length: RANDOM_LETTERS }, () => 'abcdefghijklmnopqrstuvwxyz'[Math.floor(random() * 26)]);
  return `a_${letters.join('')}`;
}

/** An id made from the title, or `fallback` when the title has no Latin letters. */
export function nameFrom(title: string, fallback: string): string {
  const plain = title
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[_0-9]+|_+$/g, '')
    .slice(0, NAME_LENGTH)
    .replace(/_+$/, '');
  if (plain.length > 1) return plain;
  if (plain.length === 1) return `${plain}_app`;
  return title.trim() === '' ? '' : fallback;
}

/** An id made from the title that no other app has. */
export function freeNameFrom(title: string, taken: string[]): string {
  const wanted = nameFrom(title, randomName());
  if (isFreeName(wanted, taken)) return wanted;
  for (let number = 2; ; number += 1) {
    const candidate = `${wanted.slice(0, NAME_LENGTH - 1 - String(number).length)}_${number}`;
    if (isFreeName(candidate, taken)) return candidate;
  }
}

/** The form of an existing app. Passwords and secrets are never sent back, so their fields are empty. */
export function valuesOf(app: AppRow): AppValues {
  const { options = {} } = app;
  const { database = {} } = options;
  return {
    ...NEW_APP,
    displayName: app.displayName ?? '',
    name: app.name,
    icon: app.icon ?? '',
    description: options.description ?? '',
    environments: app.environments ?? [],
    autoStart: options.autoStart ?? false,
    mode: options.dbConnType ?? 'new_database',
    dialect: database.dialect === 'sqlite' ? 'sqlite' : 'postgres',
    host: database.host ?? '',
    port: database.port ?? '',
    database: database.database ?? '',
    username: database.username ?? '',
    schema: database.schema ?? '',
    storage: database.storage ?? '',
    tablePrefix: database.tablePrefix ?? '',
    cname: app.cname ?? '',
    showInSwitcher: options.showInSwitcher ?? true,
    showInLauncher: !(options.hidden ?? false),
    pinned: app.pinned ?? false,
    sort: app.sort ?? '',
  };
}

/** A new app with the settings of one that exists: not its id, address, database or secrets, and none of its data. */
export function likeApp(app: AppRow, title: string): AppValues {
  return {
    ...valuesOf(app),
    displayName: title,
    name: '',
    // A picture is kept under the other app's address; the server takes only pictures themselves.
    icon: app.icon?.startsWith('/') ? '' : (app.icon ?? ''),
    cname: '',
    sort: '',
    pinned: false,
    database: '',
    schema: '',
    storage: '',
  };
}

/** For the platform's own servers only a prefix may be chosen; nothing when there is none. */
function databaseBody(values: AppValues): AppOptions['database'] {
  if (values.mode !== 'new_connection') {
    return values.tablePrefix.trim() ? { tablePrefix: values.tablePrefix.trim() } : undefined;
  }
  if (values.dialect === 'sqlite') return { dialect: 'sqlite', storage: values.storage.trim() };
  return {
    dialect: 'postgres',
    host: values.host.trim(),
    ...(values.port === '' ? {} : { port: values.port }),
    database: values.database.trim(),
    username: values.username.trim(),
    password: values.password,
    ...(values.schema.trim() ? { schema: values.schema.trim() } : {}),
    ...(values.tablePrefix.trim() ? { tablePrefix: values.tablePrefix.trim() } : {}),
  };
}

function adminBody(values: AppValues): object {
  if (values.adminMode === 'copy') return { admin: { copyCaller: true } };
  if (values.adminMode === 'environment') return {};
  return {
    admin: {
      username: values.adminUsername.trim(),
      email: values.adminEmail.trim(),
      password: values.adminPassword,
    },
  };
}

/** What may be changed at any time. */
function commonBody(values: AppValues): { values: object; options: object } {
  return {
    values: {
      displayName: values.displayName.trim(),
      icon: values.icon.trim() || null,
      cname: values.cname.trim() || null,
      pinned: values.pinned,
      ...(values.sort === '' ? {} : { sort: values.sort }),
    },
    options: {
      autoStart: values.autoStart,
      hidden: !values.showInLauncher,
      showInSwitcher: values.showInSwitcher,
      description: values.description.trim(),
      ...(values.secret ? { authManager: { jwt: { secret: values.secret } } } : {}),
    },
  };
}

/** `language`: of the new app, and of what a template puts into it. */
export function createBody(values: AppValues, start: boolean, language: string): object {
  const common = commonBody(values);
  const database = databaseBody(values);
  return {
    ...common.values,
    name: values.name.trim(),
    environments: values.environments,
    start,
    options: {
      ...common.options,
      dbConnType: values.mode,
      lang: language,
      ...(values.template ? { template: values.template } : {}),
      ...(database ? { database } : {}),
      ...adminBody(values),
    },
  };
}

/** An app on another server may be reached in another way later: host, port and account. */
function isWayChangeable(values: AppValues): boolean {
  return values.mode === 'new_connection' && values.dialect === 'postgres';
}

/** The whole block, as the server takes it as a whole; an empty password keeps the present one. */
function wayBody(values: AppValues): AppOptions['database'] {
  return { ...databaseBody(values), password: values.password || PASSWORD_KEPT };
}

export function updateBody(values: AppValues): object {
  const common = commonBody(values);
  const options = { ...common.options, ...(isWayChangeable(values) ? { database: wayBody(values) } : {}) };
  return { ...common.values, environments: values.environments, options };
}

/** Changes that take effect only after a restart, as keys of the form. */
export function restartNeededFor(values: AppValues, before: AppValues): (keyof AppValues)[] {
  const way = (['host', 'port', 'username', 'password'] as const).filter((key) => values[key] !== before[key]);
  return [...(values.secret === '' ? [] : ['secret' as const]), ...(isWayChangeable(values) ? way : [])];
}

const FIELD_OF: Record<string, keyof AppValues> = {
  'options.database.dialect': 'dialect',
  'options.database.host': 'host',
  'options.database.port': 'port',
  'options.database.database': 'database',
  'options.database.username': 'username',
  'options.database.password': 'password',
  'options.database.schema': 'schema',
  'options.database.storage': 'storage',
  'options.database.tablePrefix': 'tablePrefix',
  'options.template': 'template',
  'options.description': 'description',
  'options.dbConnType': 'mode',
  'options.database': 'mode',
  'options.autoStart': 'autoStart',
  'options.authManager.jwt.secret': 'secret',
  'options.admin.username': 'adminUsername',
  'options.admin.email': 'adminEmail',
  'options.admin.password': 'adminPassword',
  'options.admin': 'adminMode',
};

/** Which input a finding of the preflight belongs to; undefined when it is about none of them. */
export function fieldOf(finding: Finding): keyof AppValues | undefined {
  const path = finding.field;
  if (!path) return undefined;
  if (path in NEW_APP) return path as keyof AppValues;
  return FIELD_OF[path];
}
