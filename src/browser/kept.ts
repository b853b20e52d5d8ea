/** What a browser keeps between visits of what took long to compute. `#kept` names this file there. */

import type { RandomAccess } from '../core/index.ts';
import { folderIn, madeFolder, privateFolder, readSealed, writeSealed } from './private-files.ts';

/** What is kept under a name, such as `int8-1/x.safetensors`; undefined without it, or if it cannot be read. */
export async function kept(name: string): Promise<RandomAccess | undefined> {
  const { folder, file } = placeOf(name);
  try {
    const root = await privateFolder();
    const found = root && (await folderIn(root, folder));
    const bytes = found && (await readSealed(found, file));
    return (
      bytes && {
        name,
        size: bytes.length,
        read: async (offset, length) => bytes.slice(offset, offset + length),
      }
    );
  } catch {
    return undefined;
  }
}

/** Keeps bytes under a name, whole or not at all. If the browser does not take them, they are computed again the next time. */
export async function keep(name: string, bytes: Uint8Array): Promise<void> {
  const { folder, file } = placeOf(name);
  try {
    const root = await privateFolder();
    if (root) await writeSealed(await madeFolder(root, folder), file, new Uint8Array(bytes));
  } catch {
    // A full storage makes nothing wrong, only slow.
  }
}

export function warn(message: string): void {
  console.warn(`lincir: ${message}`);
}

function placeOf(name: string): { readonly folder: readonly string[]; readonly file: string } {
  const parts = name.split('/');
  return { folder: ['kept', ...parts.slice(0, -1)], file: parts.at(-1)! };
}
