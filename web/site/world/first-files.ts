/** Downloads what the first answer takes. What prepares it comes meanwhile. */

import { download } from './download.ts';
import { firstFiles, type PackedFile } from './packed.ts';
import type { MiniQuery, Picture } from './protocol.ts';
import { readWorldFile, type WorldFile } from './world-file.ts';

/** What tells of a download. */
export interface DownloadNews {
  readonly bytes: number;
  readonly total: number;
}

/** What is there to ask about. */
export interface WorldNews {
  readonly pictures: readonly Picture[];
  readonly queries: readonly MiniQuery[];
  readonly figures: WorldFile['figures'];
}

/** Each promise ends on its own. */
export interface FirstFiles {
  readonly world: Promise<WorldFile>;
  readonly gallery: Promise<Uint8Array>;
  readonly tower: Promise<Uint8Array>;
  /** The last that comes. */
  readonly phi: Promise<Uint8Array>;
}

/** Milliseconds between news of a download: pages take some for each. */
const betweenNews = 100;

export function downloadFirst(folder: URL, tell: (news: DownloadNews | WorldNews) => void): FirstFiles {
  const received = new Map<PackedFile, number>();
  let total: number | undefined;
  let toldAt = 0;
  const get = (name: PackedFile) =>
    download(folder, name, (bytes) => {
      received.set(name, bytes);
      const sum = sumOf(received.values());
      const isDue = sum === total || performance.now() - toldAt >= betweenNews;
      if (total === undefined || !isDue) return;
      toldAt = performance.now();
      tell({ bytes: sum, total });
    });
  const [small, gallery, tower] = [get('world.bin'), get('gallery.bin'), get('text-bytes.bin')];
  const phi = Promise.all([small, gallery, tower]).then(() => get('phi-bytes.bin'));
  const world = small.then((bytes) => {
    const file = readWorldFile(bytes);
    total = received.get('world.bin')! + sumOf(firstFiles.map((name) => file.sizes[name] ?? 0));
    tell({ pictures: file.pictures, queries: file.queries, figures: file.figures });
    return file;
  });
  const files = { world, gallery, tower, phi };
  for (const file of Object.values(files)) file.catch(() => {}); // told of when it is waited for
  return files;
}

function sumOf(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
