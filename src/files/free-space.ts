/** How much can still be written where a file or folder is, or will be. */

import { statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** Bytes free for this user on the disk of a path, which may not exist yet; undefined where the system does not tell. */
export async function freeSpace(path: string): Promise<number | undefined> {
  for (let place = resolve(path); ; place = dirname(place)) {
    const facts = await statfs(place).catch(() => undefined);
    if (facts) return facts.bavail * facts.bsize;
    if (dirname(place) === place) return undefined;
  }
}
