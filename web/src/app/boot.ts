/** What the server tells the page about the app it shows; see the `boot` block of index.html. */
export interface Boot {
  /** Name of the app: `main`, or the name of a business app. */
  app: string;
  /** Where the UI of this app lives: `` for main or a custom domain, `/apps/<name>` otherwise. */
  basePath: string;
  /** Prefix of the app's API, ends with a slash. */
  api: string;
  /** Address of the WebSocket, path and query. */
  ws: string;
  /** Identifies the UI build; changes with every release of the UI. */
  build: string;
  lang: string;
  title: string;
  /** Set when the app did not answer requests as the page was made. */
  maintenance?: { code: string; message: string };
}

const DEFAULTS: Boot = {
  app: 'main',
  basePath: '',
  api: '/api/',
  ws: '/ws',
  build: 'dev',
  lang: 'en-US',
  title: 'Atoll',
};

/** Reads the boot block of `root`; keys the server left out get the values of the main app. */
export function readBoot(root: Document): Boot {
  const text = root.getElementById('boot')?.textContent?.trim();
  if (!text) return DEFAULTS;
  const given = JSON.parse(text) as Partial<Boot>;
  return { ...DEFAULTS, ...given };
}

export const boot: Boot = readBoot(document);

/** The nonce for generated style tags; the server sets it on the boot block when its policy needs one. */
export function styleNonce(): string {
  return document.getElementById('boot')?.nonce ?? '';
}

export const isMainApp = boot.app === 'main';

/** Reached below `/apps/<name>` of an entry point, so the main app is at the root of this origin. */
export const isBehindEntry = isMainApp || boot.basePath.startsWith('/apps/');
