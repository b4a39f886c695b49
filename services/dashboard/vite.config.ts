import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [react()],
  build: {
    target: 'es2023',
    // Inlined images would need `data:` in the content security policy.
    assetsInlineLimit: 0,
    emptyOutDir: true,
    // What counts is the compressed size, which tests/bench/browser measures.
    chunkSizeWarningLimit: 800,
  },
  worker: { format: 'es' },
  server: {
    // `npm run dev` beside a running assayd.
    proxy: { '^/assay\\.': 'http://127.0.0.1:7080' },
  },
});
