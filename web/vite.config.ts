/// <reference types="vitest/config" />
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

import { precompress } from './precompress.ts';

/**
 * Few chunks, each loaded as a whole: hundreds of small files cost more time than their bytes. What a chunk depends
 * on comes with it or from a chunk above it, so that chunks depend on each other in one direction.
 * web/budget.ts counts what the screens load and fails above the limits.
 */
const GROUPS = [
  { name: 'texts-en', test: /[\\/]locales[\\/]en-US\.json/ },
  { name: 'texts-zh', test: /[\\/]locales[\\/]zh-CN\.json/ },
  { name: 'start', tags: ['$initial' as const] },
  { name: 'shell', test: /[\\/]features[\\/](shell|signin|launcher|tasks)[\\/](?!Preferences|HelpSheet|ChangePassword|SignUp|Forgot|Reset)|[\\/]src[\\/]ui[\\/]\w+\.tsx/ },
  { name: 'table', test: /[\\/]ui[\\/](DataGrid|FilterBuilder)[\\/]|[\\/]fields[\\/]|[\\/]node_modules[\\/]@(mantine|tabler)[\\/]/ },
  { name: 'records', test: /[\\/]features[\\/]data[\\/]/ },
  // What is opened now and then.
  { name: 'more', test: /[\\/]features[\\/](shell|signin)[\\/]/ },
  { name: 'account', test: /[\\/]features[\\/]account[\\/]/ },
  { name: 'supervisor', test: /[\\/]features[\\/](supervisor|lifecycle)[\\/](?!logs|metrics|ApplicationPage|EnvironmentPage|OverviewPage)/ },
  { name: 'operations', test: /[\\/]features[\\/]supervisor[\\/]/ },
].map((group, index, all) => ({ ...group, priority: all.length - index }));

export default defineConfig({
  // The server puts the shared, immutable asset address in place of "./assets/".
  base: './',
  plugins: [react(), precompress()],
  build: {
    outDir: '../src/atoll/web/static',
    emptyOutDir: true,
    manifest: true,
    // One stylesheet: small enough, and no screen waits for a second one.
    cssCodeSplit: false,
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
