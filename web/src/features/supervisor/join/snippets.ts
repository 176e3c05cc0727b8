export const JOIN_KINDS = ['compose', 'kubernetes', 'systemd', 'shell'] as const;
export type JoinKind = (typeof JOIN_KINDS)[number];

export interface JoinValues {
  kind: JoinKind;
  name: string;
  /** Where people reach it. */
  url: string;
  /** Where the Supervisor reaches it; the same when empty. */
  proxyUrl: string;
  port: number;
}

export const ENVIRONMENT_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/;
const URL_PATTERN = /^https?:\/\/[^\s/?#'"\\$]+$/;

export function isAddress(text: string): boolean {
  return URL_PATTERN.test(text.replace(/\/$/, ''));
}

export const FILE_NAMES: Record<JoinKind, (name: string) => string> = {
  compose: () => 'compose.yaml',
  kubernetes: (name) => `${name}.yaml`,
  systemd: (name) => `atoll-${name}.service`,
  shell: (name) => `start-${name}.sh`,
};

/** What must be the same as at the Supervisor is left for a person to fill in: no page shows passwords. */
const FILL_IN = {
  APP_SUPERVISOR_REDIS_URL: 'redis://:PASSWORD@REDIS-HOST:6379/0',
  APP_COMMAND_REDIS_URL: 'redis://:PASSWORD@REDIS-HOST:6379/0',
  DB_HOST: 'DATABASE-HOST',
  DB_USER: 'DATABASE-USER',
  DB_PASSWORD: 'DATABASE-PASSWORD',
  INIT_ROOT_PASSWORD: 'PASSWORD-OF-THE-FIRST-ACCOUNT',
};

export function variablesOf({ name, url, proxyUrl, port }: JoinValues): Record<string, string> {
  return {
    APP_MODE: 'worker',
    APP_PORT: String(port),
    APP_DISCOVERY_ADAPTER: 'remote',
    APP_PROCESS_ADAPTER: 'local',
    APP_COMMAND_ADAPTER: 'redis',
    ENVIRONMENT_NAME: name,
    ENVIRONMENT_URL: url.replace(/\/$/, ''),
    ...(proxyUrl ? { ENVIRONMENT_PROXY_URL: proxyUrl.replace(/\/$/, '') } : {}),
    DB_DIALECT: 'postgres',
    DB_DATABASE: `atoll_${name.toLowerCase().replace(/-/g, '_')}`,
    ...FILL_IN,
  };
}

const pairs = (values: JoinValues) => Object.entries(variablesOf(values));
const quoted = (text: string) => JSON.stringify(text);

function compose(values: JoinValues, version: string): string {
  const { name, port } = values;
  return [
    '# The image is built with deploy/Dockerfile. Fill in what is written in capitals.',
    'services:',
    `  ${name}:`,
    `    image: atoll:${version}`,
    '    restart: unless-stopped',
    '    stop_grace_period: 30s',
    `    ports: [${quoted(`${port}:${port}`)}]`,
    `    volumes: [${quoted(`${name}:/var/lib/atoll/storage`)}]`,
    '    environment:',
    ...pairs(values).map(([key, value]) => `      ${key}: ${quoted(value)}`),
    'volumes:',
    `  ${name}:`,
  ].join('\n');
}

/** Names there have no underscores and no capitals. */
const label = (name: string) => name.toLowerCase().replace(/_/g, '-');

function kubernetes(values: JoinValues, version: string): string {
  const { port } = values;
  const name = `atoll-${label(values.name)}`;
  return [
    '# The image is built with deploy/Dockerfile. Passwords belong into a Secret; fill in what is written in capitals.',
    'apiVersion: apps/v1',
    'kind: Deployment',
    `metadata: {name: ${name}}`,
    'spec:',
    '  replicas: 1',
    `  selector: {matchLabels: {app: ${name}}}`,
    '  template:',
    `    metadata: {labels: {app: ${name}}}`,
    '    spec:',
    '      terminationGracePeriodSeconds: 30',
    '      containers:',
    '        - name: atoll',
    `          image: atoll:${version}`,
    `          ports: [{containerPort: ${port}}]`,
    `          livenessProbe: {httpGet: {path: /api/__health_check, port: ${port}}}`,
    `          readinessProbe: {httpGet: {path: /api/__ready, port: ${port}}}`,
    '          volumeMounts: [{name: storage, mountPath: /var/lib/atoll/storage}]',
    '          env:',
    ...pairs(values).map(([key, value]) => `            - {name: ${key}, value: ${quoted(value)}}`),
    '      volumes:',
    `        - {name: storage, persistentVolumeClaim: {claimName: ${name}}}`,
    '---',
    'apiVersion: v1',
    'kind: PersistentVolumeClaim',
    `metadata: {name: ${name}}`,
    'spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 10Gi}}}',
    '---',
    'apiVersion: v1',
    'kind: Service',
    `metadata: {name: ${name}}`,
    `spec: {selector: {app: ${name}}, ports: [{port: ${port}, targetPort: ${port}}]}`,
  ].join('\n');
}

function systemd(values: JoinValues, version: string): string {
  const escaped = (text: string) => text.replace(/%/g, '%%');
  return [
    `# /etc/systemd/system/atoll-${values.name}.service; Atoll ${version} is installed in /opt/atoll.`,
    '# Fill in what is written in capitals, then: systemctl daemon-reload && systemctl enable --now this unit',
    '[Unit]',
    `Description=Atoll environment ${values.name}`,
    'After=network-online.target',
    'Wants=network-online.target',
    '',
    '[Service]',
    'ExecStart=/opt/atoll/bin/atoll start',
    'DynamicUser=yes',
    `StateDirectory=atoll-${values.name}`,
    `Environment="STORAGE_PATH=/var/lib/atoll-${values.name}"`,
    ...pairs(values).map(([key, value]) => `Environment="${key}=${escaped(value)}"`),
    'Restart=always',
    'TimeoutStopSec=30',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
  ].join('\n');
}

function shell(values: JoinValues, version: string): string {
  return [
    '#!/bin/sh',
    `# Atoll ${version} is installed. Fill in what is written in capitals.`,
    ...pairs(values).map(([key, value]) => `export ${key}='${value}'`),
    `export STORAGE_PATH="$HOME/atoll-${values.name}"`,
    'exec atoll start',
  ].join('\n');
}

const WRITERS = { compose, kubernetes, systemd, shell };

/** A file that starts the environment, ready but for what no page may know. */
export function snippet(values: JoinValues, version: string): string {
  return `${WRITERS[values.kind](values, version)}\n`;
}
