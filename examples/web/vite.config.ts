/** What lincir needs of Vite, so that it computes with threads. Without it, take the headers out: one thread needs nothing. */

import { defineConfig } from 'vite';

/** Your own server has to send them, too. */
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export default defineConfig({
  base: './',
  worker: { format: 'es' }, // then ONNX Runtime is a file of its own, which its threads load
  server: { headers },
  preview: { headers },
});
