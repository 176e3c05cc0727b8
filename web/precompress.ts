import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

import type { Plugin } from 'vite';

const TEXT = /\.(js|css|svg)$/;
/** Smaller files fit into one packet anyway. */
const SMALLEST_BYTES = 1_024;
const BROTLI_QUALITY = 10;

/** Writes a `.br` and a `.gz` beside each asset, so that the server never compresses while people wait. */
export function precompress(): Plugin {
  return {
    name: 'precompress',
    apply: 'build',
    writeBundle({ dir }) {
      const assets = join(dir ?? '', 'assets');
      for (const name of readdirSync(assets).filter((file) => TEXT.test(file))) {
        const path = join(assets, name);
        if (statSync(path).size < SMALLEST_BYTES) continue;
        const content = readFileSync(path);
        const params = { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY };
        writeFileSync(`${path}.br`, brotliCompressSync(content, { params }));
        writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
      }
    },
  };
}
