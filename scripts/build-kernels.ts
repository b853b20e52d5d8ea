/** Compiles every `.wat` of src into a `-kernel.ts` beside it: `npm run kernel`. */

import { globSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import wabt from 'wabt';

const source = join(import.meta.dirname, '../src');

/** All kernels, without their ending: 'pixels/resample'. */
export const kernels = globSync('*/*.wat', { cwd: source }).map((file) => file.replace(/\.wat$/, ''));

/** A kernel as WebAssembly, in base64. */
export async function compiledKernel(name: string): Promise<string> {
  const { parseWat } = await wabt();
  const text = await readFile(join(source, `${name}.wat`), 'utf8');
  const module = parseWat(name, text, { simd: true, threads: true });
  return Buffer.from(module.toBinary({}).buffer).toString('base64');
}

if (import.meta.main) {
  for (const name of kernels) {
    const text = `/** ${basename(name)}.wat as WebAssembly, in base64. Made by \`npm run kernel\`; not to be edited. */

export const kernelBytes =
  '${await compiledKernel(name)}';
`;
    await writeFile(join(source, `${name}-kernel.ts`), text);
  }
}
