/** The thread that answers questions. It needs no engine: a query is a few texts. */

import type { PseudoTokenEncoder } from '../../../src/composition/index.ts';
import { LincirError } from '../../../src/core/index.ts';
import { initialPhi, readPhi } from '../../../src/phi/index.ts';
import { flatParameters } from '../../../src/training/portable.ts';
import { type Asked, type AskedPhi, cosines, notLearning, read, search } from './asking.ts';
import { answer, tell } from './calls.ts';
import { download, memoryFile } from './download.ts';
import { unpackGallery } from './gallery.ts';
import { firstFiles, type PackedFile } from './packed.ts';
import type { MaskedExample, MiniQuery, PhiChoice, Picture, SearchOptions } from './protocol.ts';
import { type EmbedImage, openPhi, openTextTower, openVisionTower } from './towers.ts';
import { readWorldFile, towerFiles, type WorldFile } from './world-file.ts';

/** The phi that learns, as it is after a step. */
export interface LearntPhi {
  readonly step: number;
  /** All parameters, as `flatParameters` has them. */
  readonly values: Float32Array<ArrayBuffer>;
}

/** What tells of a download. */
export interface DownloadNews {
  readonly bytes: number;
  readonly total: number;
}

let asked: Asked | undefined;
let world: WorldFile;
let learning: AskedPhi | undefined;
/** Of the phi that learns. */
let open: (values: LearntPhi) => Promise<AskedPhi>;
let nextExample = 0;

const functions = {
  /** Downloads what the first answer takes. */
  async open(data: string): Promise<{ pictures: readonly Picture[]; queries: readonly MiniQuery[] }> {
    const folder = new URL(data);
    const progress = new Map<PackedFile, DownloadNews>();
    const get = (name: PackedFile) =>
      download(folder, name, (bytes, total) => {
        progress.set(name, { bytes, total });
        if (firstFiles.every((file) => progress.has(file))) tell(globalThis as never, sumOf(progress));
      });
    const [worldBytes, gallery, tower, phiBytes] = await Promise.all(firstFiles.map(get));
    world = readWorldFile(worldBytes!);
    const model = await openTextTower(towerFiles(world.text, tower!));
    const { info, parameters } = await readPhi(memoryFile('phi.safetensors', phiBytes!));
    const ready = { phi: await openPhi(info, parameters) };
    let untrained: Promise<PseudoTokenEncoder> | undefined;
    open = async ({ step, values }) => {
      const { tensors } = flatParameters(info.shape, undefined, () => values);
      return { phi: await openPhi(info, tensors), step };
    };
    const phiOf = async (choice: PhiChoice | 'untrained') => {
      if (choice === 'ready') return ready;
      if (choice === 'learning') return learning ?? notLearning();
      untrained ??= openPhi(info, initialPhi(info.shape, 0));
      return { phi: await untrained };
    };
    let vision: Promise<EmbedImage> | undefined;
    const embedImage: EmbedImage = async (image) => {
      vision ??= download(folder, 'vision-half.bin').then((bytes) =>
        openVisionTower(towerFiles(world.vision, bytes)),
      );
      vision.catch(() => {
        vision = undefined; // it may come the next time
      });
      return await (await vision)(image);
    };
    const { pictures, queries } = world;
    asked = { model, gallery: unpackGallery(gallery!), queries, phiOf, embedImage };
    return { pictures, queries };
  },
  search: (options: SearchOptions) => search(opened(), options),
  /** Takes the port through which the learning thread sends its phi. */
  follow(port: MessagePort): void {
    port.onmessage = async ({ data }: MessageEvent<LearntPhi | undefined>) => {
      learning = data && (await open(data));
    };
  },
  example(): MaskedExample {
    opened();
    nextExample += 1;
    return world.examples[(nextExample - 1) % world.examples.length]!;
  },
  read: (example: MaskedExample, phi?: PhiChoice | 'untrained') => read(opened(), example, phi),
  cosines: (pictures: readonly number[], texts: readonly string[]) => cosines(opened(), pictures, texts),
};
export type QueryFunctions = typeof functions;

answer(globalThis as never, functions);

function opened(): Asked {
  if (asked) return asked;
  throw new LincirError('bad-argument', {
    subject: 'the miniature world',
    expected: 'to be ready',
    found: 'a question before',
    todo: 'wait for ready()',
  });
}

function sumOf(progress: ReadonlyMap<PackedFile, DownloadNews>): DownloadNews {
  return [...progress.values()].reduce((sum, one) => ({
    bytes: sum.bytes + one.bytes,
    total: sum.total + one.total,
  }));
}
