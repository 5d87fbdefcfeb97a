import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { catalogues } from './catalogue.ts';

const at = (dir: string) => fileURLToPath(new URL(`./src/${dir}`, import.meta.url));
const backend = process.env.DESKBELL_URL ?? 'http://127.0.0.1:8090';

export default defineConfig({
  plugins: [catalogues(), svelte()],
  resolve: {
    alias: {
      $core: at('core'),
      $kit: at('kit'),
      $features: at('features'),
      // Messages are parsed when this is built; only the tests parse some themselves.
      ...(process.env.VITEST
        ? {}
        : { '@formatjs/icu-messageformat-parser': '@formatjs/icu-messageformat-parser/no-parser.js' }),
    },
    ...(process.env.VITEST ? { conditions: ['browser'] } : {}),
  },
  build: {
    manifest: true,
    target: 'es2022',
    // The server compresses nothing on the fly for small files; hashes make every asset immutable.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 600,
  },
  server: { proxy: { '/api': { target: backend, changeOrigin: false } } },
  test: { environment: 'jsdom', include: ['test/**/*.test.ts'], setupFiles: ['test/setup.ts'] },
});
