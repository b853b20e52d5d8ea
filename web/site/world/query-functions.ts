/** What the thread answers that is asked questions. It needs no engine: a query is a few texts. */

import type { ComposingModel, PseudoTokenEncoder } from '../../../src/composition/index.ts';
import { LincirError } from '../../../src/core/index.ts';
import { initialPhi, readPhi } from '../../../src/phi/index.ts';
import { flatParameters } from '../../../src/training/portable.ts';
import { type Asked, cosines, notLearning, read, search } from './asking.ts';
import { download, memoryFile } from './download.ts';
import type { FirstFiles } from './first-files.ts';
import { type Gallery, nearest, unpackGallery } from './gallery.ts';
import type { MaskedExample, PhiChoice, SearchOptions } from './protocol.ts';
import { unpackTensors } from './rounded.ts';
import { type EmbedImage, openPhi, openTextTower, openVisionTower } from './towers.ts';
import { towerFiles, type WorldFile } from './world-file.ts';

/** The phi that learns, as it is after a step. */
export interface LearntPhi {
  readonly step: number;
  /** All parameters, as `flatParameters` has them. */
  readonly values: Float32Array<ArrayBuffer>;
}

let opening: Promise<Opened> | undefined;
let learning: LearntPhi | undefined;
let nextExample = 0;
const warmingRuns = 8;

/** What needs the world waits for it. */
export const functions = {
  /** Prepares the world, while its files come. What needs no phi is computed meanwhile. */
  async open(folder: URL, files: FirstFiles): Promise<void> {
    opening = prepare(folder, files);
    const { asked } = await opening;
    await asked.phiOf('ready');
  },
  search: async (options: SearchOptions) => search((await opened()).asked, options),
  /** Takes the port through which the learning thread sends its phi. */
  follow(port: MessagePort): void {
    port.onmessage = ({ data }: MessageEvent<LearntPhi | undefined>) => {
      learning = data;
    };
  },
  async example(): Promise<MaskedExample> {
    const { examples } = await opened();
    nextExample += 1;
    return examples[(nextExample - 1) % examples.length]!;
  },
  read: async (example: MaskedExample, phi?: PhiChoice | 'untrained') =>
    read((await opened()).asked, example, phi),
  cosines: async (pictures: readonly number[], texts: readonly string[]) =>
    cosines((await opened()).asked, pictures, texts),
};
export type QueryFunctions = typeof functions;

interface Opened {
  readonly asked: Asked;
  readonly examples: WorldFile['examples'];
}

async function prepare(folder: URL, files: FirstFiles): Promise<Opened> {
  const { text, vision: visionFiles, queries, examples } = await files.world;
  const model = await openTextTower(towerFiles(text, await unpackTensors(await files.tower)));
  const gallery = await unpackGallery(await files.gallery);
  void warmUp(model, gallery, files.phi);
  const phiOf = phisOf(files.phi);
  let vision: Promise<EmbedImage> | undefined;
  const embedImage: EmbedImage = async (image) => {
    vision ??= download(folder, 'vision-bytes.bin').then(async (bytes) =>
      openVisionTower(towerFiles(visionFiles, await unpackTensors(bytes))),
    );
    vision.catch(() => {
      vision = undefined; // it may come the next time
    });
    return await (await vision)(image);
  };
  return { asked: { model, gallery, queries, phiOf, embedImage }, examples };
}

/** The phi that comes with the page, and those of the same shape. */
function phisOf(bytes: Promise<Uint8Array>): Asked['phiOf'] {
  const file = bytes.then(async (packed) =>
    readPhi(memoryFile('phi.safetensors', await unpackTensors(packed))),
  );
  const ready = file.then(({ info, parameters }) => openPhi(info, parameters));
  ready.catch(() => {}); // told of when it is asked for
  let untrained: Promise<PseudoTokenEncoder> | undefined;
  let learnt: { readonly from: LearntPhi; readonly phi: Promise<PseudoTokenEncoder> } | undefined;
  return async (choice) => {
    if (choice === 'ready') return { phi: await ready };
    const { info } = await file;
    if (choice === 'untrained') {
      untrained ??= openPhi(info, initialPhi(info.shape, 0));
      return { phi: await untrained };
    }
    const from = learning ?? notLearning();
    if (learnt?.from !== from) {
      const { tensors } = flatParameters(info.shape, undefined, () => from.values);
      learnt = { from, phi: openPhi(info, tensors) };
    }
    return { phi: await learnt.phi, step: from.step };
  };
}

async function opened(): Promise<Opened> {
  if (opening) return await opening;
  throw new LincirError('bad-argument', {
    subject: 'the miniature world',
    expected: 'to be opened',
    found: 'a question before',
    todo: 'open it first',
  });
}

/** Runs are slow until the browser has compiled what they run: it does so while phi is on its way. */
async function warmUp(model: ComposingModel, gallery: Gallery, phi: Promise<unknown>): Promise<void> {
  let isOver = false;
  const end = () => {
    isOver = true;
  };
  phi.then(end, end);
  const { ids } = model.tokenizer.encode('a photo of something that is red');
  for (let run = 0; run < warmingRuns && !isOver; run += 1) {
    const { data } = await model.encodeTokens([{ ids }]);
    nearest(gallery, data, 1);
    await new Promise((resolve) => setTimeout(resolve)); // what has come is unpacked meanwhile
  }
}
