/** Makes `dist/browser/`, the library for bundlers of pages. ONNX Runtime's web build stays outside: users install it beside. */

import { readFileSync } from 'node:fs';
import { build, type Plugin } from 'esbuild';

/** esbuild takes from a namespace what is used, but all of an object that a module exports: half of zod is languages. */
const usedPartOfZod: Plugin = {
  name: 'used-part-of-zod',
  setup({ onLoad }) {
    onLoad({ filter: /src.*\.ts$/ }, ({ path }) => ({
      loader: 'ts',
      contents: readFileSync(path, 'utf8').replace("import { z } from 'zod'", "import * as z from 'zod'"),
    }));
  },
};

/** @returns the files that went into it */
export async function buildForBrowsers(root: string, outdir: string): Promise<readonly string[]> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: {
      index: 'src/index.browser.ts',
      core: 'src/core/index.ts',
      onnx: 'src/onnx/index.ts',
      clip: 'src/clip/index.ts',
    },
    outdir,
    bundle: true,
    splitting: true,
    chunkNames: 'shared-[hash]',
    format: 'esm',
    platform: 'browser', // refuses every import from Node
    conditions: ['browser', 'lincir-source', 'module'],
    target: 'es2023',
    external: ['onnxruntime-web/*'],
    plugins: [usedPartOfZod],
    minify: true,
    lineLimit: 500,
    legalComments: 'none', // every licence is in the notices
    metafile: true,
  });
  return Object.keys(metafile.inputs);
}
