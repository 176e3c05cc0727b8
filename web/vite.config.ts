/// <reference types="vitest/config" />
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

import { precompress } from './precompress.ts';

/**
 * Packages that most screens need come in few chunks, so that a route change loads only its own code.
 * Only packages, never our own modules: chunks then depend on each other in one direction.
 */
const GROUPS = [
  {
    name: 'framework',
    priority: 3,
    test: /node_modules\/(react|react-dom|scheduler|i18next|react-i18next|@tanstack\/(react-router|router-core|history|store|react-store|query-core|react-query))\//,
  },
  { name: 'components', priority: 2, test: /node_modules\/@mantine\/(core|hooks|notifications)\//, minShareCount: 2 },
  { name: 'grid', priority: 1, test: /node_modules\/@tanstack\// },
  { name: 'icons', priority: 1, test: /node_modules\/@tabler\//, minShareCount: 2 },
];

export default defineConfig({
  // The server puts the shared, immutable asset address in place of "./assets/".
  base: './',
  plugins: [react(), precompress()],
  build: {
    outDir: '../src/atoll/web/static',
    emptyOutDir: true,
    manifest: true,
    sourcemap: 'hidden',
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      output: {
        codeSplitting: { groups: GROUPS },
      },
    },
  },
  server: {
    proxy: {
      '/api': 'http://127.0.0.1:13000',
      '/files': 'http://127.0.0.1:13000',
      '/ws': { target: 'ws://127.0.0.1:13000', ws: true },
    },
  },
  test: {
    environment: 'happy-dom',
    // The API client is tested against a real server on another port.
    environmentOptions: { happyDOM: { settings: { fetch: { disableSameOriginPolicy: true } } } },
    include: ['src/**/*.test.{ts,tsx}', 'tests/unit/**/*.test.{ts,tsx}'],
    setupFiles: ['tests/setup.ts'],
    // A limit against hanging, generous enough for a busy machine.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
