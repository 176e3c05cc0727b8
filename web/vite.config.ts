/// <reference types="vitest/config" />
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Packages every screen needs; kept in one chunk so that a route change loads only its own code. */
const CORE = /node_modules\/(react|react-dom|scheduler|i18next|react-i18next|@tanstack\/(react-router|router-core|history|store|react-store|query-core|react-query))\//;

export default defineConfig({
  // The server puts the shared, immutable asset address in place of "./assets/".
  base: './',
  plugins: [react()],
  build: {
    outDir: '../src/atoll/web/static',
    emptyOutDir: true,
    manifest: true,
    sourcemap: 'hidden',
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      output: {
        codeSplitting: { groups: [{ name: 'core', test: CORE }] },
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
  },
});
