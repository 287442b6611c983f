import { defineConfig } from 'vite';

// Names without hashes: the server sends every file with an ETag, and a rebuild changes files instead of renaming them.
const output = {
  entryFileNames: '[name].js',
  chunkFileNames: '[name].js',
  assetFileNames: '[name][extname]',
  codeSplitting: false,
};

export default defineConfig({
  base: '/playground/',
  build: {
    // The content security policy lets fonts come from the server only.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: Infinity,
    license: { fileName: 'licenses.md' },
    modulePreload: false,
    // React's "use client" means nothing in a bundle for the browser.
    rolldownOptions: { output, checks: { moduleLevelDirective: false } },
  },
  worker: { format: 'es', rolldownOptions: { output } },
});
