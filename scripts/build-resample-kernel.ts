/** Compiles src/pixels/resample.wat into src/pixels/resample-kernel.ts: `npm run kernel`. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import wabt from 'wabt';

const folder = join(import.meta.dirname, '../src/pixels');

/** The kernel as WebAssembly, in base64. */
export async function compiledKernel(): Promise<string> {
  const { parseWat } = await wabt();
  const module = parseWat('resample.wat', await readFile(join(folder, 'resample.wat'), 'utf8'));
  return Buffer.from(module.toBinary({}).buffer).toString('base64');
}

if (import.meta.main) {
  const text = `/** resample.wat as WebAssembly, in base64. Made by \`npm run kernel\`; not to be edited. */

export const kernelBytes =
  '${await compiledKernel()}';
`;
  await writeFile(join(folder, 'resample-kernel.ts'), text);
}
