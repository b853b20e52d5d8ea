/** The thread that answers questions. It needs no engine: a query is a few texts. */

import '../shell/no-eval.ts';
import type { ComposingModel, PseudoTokenEncoder } from '../../../src/composition/index.ts';
import { LincirError } from '../../../src/core/index.ts';
import { initialPhi, readPhi } from '../../../src/phi/index.ts';
import { flatParameters } from '../../../src/training/portable.ts';
import { type Asked, type AskedPhi, cosines, notLearning, read, search } from './asking.ts';
import { answer, tell } from './calls.ts';
import { download, memoryFile } from './download.ts';
import { type Gallery, nearest, unpackGallery } from './gallery.ts';
import { firstFiles, type PackedFile } from './packed.ts';
import type { MaskedExample, MiniQuery, PhiChoice, Picture, SearchOptions } from './protocol.ts';
import { unpackTensors } from './rounded.ts';
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

/** What is there to ask about. */
export interface WorldNews {
  readonly pictures: readonly Picture[];
  readonly queries: readonly MiniQuery[];
  readonly figures: WorldFile['figures'];
}

let asked: Asked | undefined;
let world: WorldFile;
let learning: AskedPhi | undefined;
/** Of the phi that learns. */
let open: (values: LearntPhi) => Promise<AskedPhi>;
let nextExample = 0;
const warmingRuns = 8;

const functions = {
  /**
   * Downloads what the first answer takes: phi comes last, and meanwhile all else is prepared. Tells of pictures and queries
   * when they are known.
   */
  async open(data: string): Promise<void> {
    const folder = new URL(data);
    const received = new Map<PackedFile, number>();
    let total: number | undefined;
    const get = (name: PackedFile) =>
      download(folder, name, (bytes) => {
        received.set(name, bytes);
        const news = { bytes: sum(received.values()), total } as DownloadNews;
        if (total !== undefined) tell(globalThis as never, news);
      });
    const [small, gallery, tower] = [get('world.bin'), get('gallery.bin'), get('text-bytes.bin')];
    const phiBytes = Promise.all([small, gallery, tower]).then(() => get('phi-bytes.bin'));
    phiBytes.catch(() => {}); // told of when it is waited for
    const smallBytes = await small;
    world = readWorldFile(smallBytes);
    total = received.get('world.bin')! + sum(firstFiles.map((name) => world.sizes[name] ?? 0));
    const { pictures, queries, figures } = world;
    tell(globalThis as never, { pictures, queries, figures } satisfies WorldNews);
    const model = await openTextTower(towerFiles(world.text, await unpackTensors(await tower)));
    const unpacked = await unpackGallery(await gallery);
    let isThere = false;
    const come = () => {
      isThere = true;
    };
    phiBytes.then(come, come);
    await warmUp(model, unpacked, () => isThere);
    const { info, parameters } = await readPhi(
      memoryFile('phi.safetensors', await unpackTensors(await phiBytes)),
    );
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
      vision ??= download(folder, 'vision-bytes.bin').then(async (bytes) =>
        openVisionTower(towerFiles(world.vision, await unpackTensors(bytes))),
      );
      vision.catch(() => {
        vision = undefined; // it may come the next time
      });
      return await (await vision)(image);
    };
    asked = { model, gallery: unpacked, queries, phiOf, embedImage };
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

/** Runs are slow until the browser has compiled what they run: it does so while phi is on its way. */
async function warmUp(model: ComposingModel, gallery: Gallery, isOver: () => boolean): Promise<void> {
  const { ids } = model.tokenizer.encode('a photo of something that is red');
  for (let run = 0; run < warmingRuns && !isOver(); run += 1) {
    const { data } = await model.encodeTokens([{ ids }]);
    nearest(gallery, data, 1);
    await new Promise((resolve) => setTimeout(resolve)); // what has come is unpacked meanwhile
  }
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
