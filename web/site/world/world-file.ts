/** What `world.bin` has, as JSON: the model's small files, the benchmark, some captions that training reads, and figures. */

import type { ModelFiles } from '../../../src/core/index.ts';
import type { MiniBenchmark } from '../../../src/mini/portable.ts';
import { memoryFile } from './download.ts';
import type { PackedFile } from './packed.ts';
import type { MaskedExample, ShownMethod } from './protocol.ts';

export interface WorldFile {
  /** Bytes of the other files. */
  readonly sizes: Readonly<Partial<Record<PackedFile, number>>>;
  /** Files of the text tower alone, by name. */
  readonly text: Readonly<Record<string, unknown>>;
  /** Files of the vision tower alone. */
  readonly vision: Readonly<Record<string, unknown>>;
  readonly pictures: MiniBenchmark['gallery'];
  readonly queries: MiniBenchmark['queries'];
  readonly examples: readonly MaskedExample[];
  /** mAP@10 in percent, of 'lincir' with the ready phi. */
  readonly figures: Readonly<Record<ShownMethod, number>>;
}

export function readWorldFile(bytes: Uint8Array): WorldFile {
  return JSON.parse(new TextDecoder().decode(bytes)) as WorldFile;
}

/** A tower as files of a model. */
export function towerFiles(small: Readonly<Record<string, unknown>>, weights: Uint8Array): ModelFiles {
  return {
    name: 'mini',
    async read(name) {
      if (name === 'model.safetensors') return memoryFile(name, weights);
      const found = small[name];
      return found && memoryFile(name, new TextEncoder().encode(JSON.stringify(found)));
    },
  } as ModelFiles;
}
