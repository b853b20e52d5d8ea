/** A process that reads mutated files and notes each before, so that its parent knows which one it hangs or dies at. */

import { openSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { judge } from './judge.ts';
import { mutated } from './mutations.ts';
import { makeTargets } from './readers.ts';

/** What a worker is to do, in its first argument. */
export interface Work {
  /** A folder of its own, outside of which it may write nothing. */
  readonly folder: string;
  readonly names: readonly string[];
  /** The number of the first file of the first reader. */
  readonly from: number;
  /** Of each reader. */
  readonly count: number;
  readonly seed: number;
}

/** The file in the folder that says which file is being read: the number of its reader, and its own. */
export const placeFile = 'at';

export type Told =
  | { readonly kind: 'finding'; readonly name: string; readonly index: number; readonly reason: string }
  | { readonly kind: 'read'; readonly name: string; readonly peak: number };

/** Node takes the changing of an open file's mode away from processes that may not touch all files. */
async function withoutModes(folder: string): Promise<void> {
  const file = await open(join(folder, 'modes'), 'w');
  Object.assign(Object.getPrototypeOf(file), { chmod: async () => {} });
  await file.close();
}

if (import.meta.main) {
  const { folder, names, from, count, seed }: Work = JSON.parse(process.argv[2]!);
  await withoutModes(folder);
  const tell = (told: Told) => void process.send?.(told);
  const targets = await makeTargets(folder);
  const place = openSync(join(folder, placeFile), 'w');
  for (const [at, name] of names.entries()) {
    const target = targets.get(name)!;
    for (let index = at === 0 ? from : 0; index < count; index += 1) {
      writeSync(place, Uint32Array.of(at, index), 0, 8, 0);
      const reason = await judge(target, mutated(target, name, seed, index));
      if (reason !== undefined) tell({ kind: 'finding', name, index, reason });
    }
    tell({ kind: 'read', name, peak: 1024 * process.resourceUsage().maxRSS });
  }
  process.disconnect?.();
  process.exit(0);
}
