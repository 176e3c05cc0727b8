/**
 * What the first screens load, counted from the build: fails above the limits. `npm run budget` after a build.
 * Sizes are those of the gzip files that the server sends. Requests to the API are counted by the browser tests.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

interface Chunk {
  file: string;
  name?: string;
  imports?: string[];
  css?: string[];
}

interface Screen {
  title: string;
  /** Names of the chunks it asks for; what they import comes with them. */
  chunks: string[];
  mostFiles: number;
  mostKilobytes: number;
}

const STATIC = join(import.meta.dirname, '..', 'src', 'atoll', 'web', 'static');
const KILOBYTE = 1_000;

/** A page is at most 14 requests: these files, and index.html and four to six of the API. */
const SCREENS: Screen[] = [
  { title: 'sign-in', chunks: ['index', 'texts-en', 'shell'], mostFiles: 7, mostKilobytes: 340 },
  { title: 'first table', chunks: ['index', 'texts-en', 'shell', 'records'], mostFiles: 9, mostKilobytes: 480 },
  { title: 'applications', chunks: ['index', 'texts-en', 'shell', 'supervisor'], mostFiles: 9, mostKilobytes: 480 },
];

const manifest = JSON.parse(readFileSync(join(STATIC, '.vite', 'manifest.json'), 'utf8')) as Record<string, Chunk>;
const chunks = Object.values(manifest);

function chunkNamed(name: string): Chunk {
  const found = chunks.find((chunk) => chunk.name === name && chunk.file.endsWith('.js'));
  if (!found) throw new Error(`the build has no chunk ${name}; vite.config.ts and budget.ts must name the same ones`);
  return found;
}

/** The files of `chunk` and of all it imports. */
function filesOf(chunk: Chunk, into: Set<string>): Set<string> {
  if (into.has(chunk.file)) return into;
  into.add(chunk.file);
  for (const sheet of chunk.css ?? []) into.add(sheet);
  for (const name of chunk.imports ?? []) {
    const imported = manifest[name];
    if (!imported) throw new Error(`the build's manifest lacks ${name}`);
    filesOf(imported, into);
  }
  return into;
}

function sizeOf(file: string): number {
  const path = join(STATIC, file);
  const packed = statSync(`${path}.gz`, { throwIfNoEntry: false });
  return (packed ?? statSync(path)).size;
}

const sheets = chunks.map((chunk) => chunk.file).filter((file) => file.endsWith('.css'));
let failed = false;
for (const screen of SCREENS) {
  const files = new Set(sheets);
  for (const name of screen.chunks) filesOf(chunkNamed(name), files);
  const kilobytes = [...files].reduce((sum, file) => sum + sizeOf(file), 0) / KILOBYTE;
  const over = files.size > screen.mostFiles || kilobytes > screen.mostKilobytes;
  failed ||= over;
  console.log(
    `${over ? 'too much: ' : ''}${screen.title}: ${files.size} of ${screen.mostFiles} files, `
    + `${kilobytes.toFixed(0)} of ${screen.mostKilobytes} kB`,
  );
}
if (failed) process.exitCode = 1;
