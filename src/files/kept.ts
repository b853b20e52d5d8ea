/** What takes long to compute, kept in the cache folder. `#kept` gives it to the folders that know no disk. */

import { dirname, join } from 'node:path';
import type { RandomAccess } from '../core/index.ts';
import { cacheFolder } from './cache-folder.ts';
import { fileSource } from './file-source.ts';
import { makeFolder, writeFileAtomically } from './write-file.ts';

/** What is kept under a name, such as `int8-1/x.safetensors`; undefined without it, or if it cannot be read. */
export async function kept(name: string): Promise<RandomAccess | undefined> {
  return await fileSource(join(cacheFolder(), name)).catch(() => undefined);
}

/** Keeps bytes under a name, whole or not at all. If the disk does not take them, they are computed again the next time. */
export async function keep(name: string, bytes: Uint8Array): Promise<void> {
  const path = join(cacheFolder(), name);
  try {
    await makeFolder(dirname(path));
    await writeFileAtomically(path, (file) => file.writeFile(bytes));
  } catch {
    // A read-only home or a full disk makes nothing wrong, only slow.
  }
}
