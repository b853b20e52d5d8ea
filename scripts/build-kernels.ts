/** Compiles every `.wat` of src into a `-kernel.ts` beside it: `npm run kernel`. */

import { globSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import wabt from 'wabt';

const source = join(import.meta.dirname, '../src');

/** The files of all kernels, without their ending: 'src/pixels/resample'. */
export const kernels = globSync('*/*.wat', { cwd: source }).map((file) =>
  join(source, file.replace(/\.wat$/, '')),
);

/** The text of a kernel's `-kernel.ts`: its WebAssembly, in base64. */
export async function compiledKernel(kernel: string): Promise<string> {
  const text = await readFile(`${kernel}.wat`, 'utf8');
  const name = basename(kernel);
  const lines = [
    `/** ${name}.wat as WebAssembly, in base64. Made by \`npm run kernel\`; not to be edited. */`,
    `export const kernelBytes =\n  '${await compiled(text)}';`,
  ];
  if (text.includes(' shared))')) {
    const alone = await compiled(text.replace(' shared))', '))'));
    lines.push(
      `/** The same for memory that belongs to one thread. */\nexport const unsharedKernelBytes =\n  '${alone}';`,
    );
  }
  return `${lines.join('\n\n')}\n`;
}

async function compiled(text: string): Promise<string> {
  const { parseWat } = await wabt();
  return Buffer.from(
    parseWat('kernel.wat', text, { simd: true, threads: true }).toBinary({}).buffer,
  ).toString('base64');
}

if (import.meta.main) {
  for (const kernel of kernels) await writeFile(`${kernel}-kernel.ts`, await compiledKernel(kernel));
}
