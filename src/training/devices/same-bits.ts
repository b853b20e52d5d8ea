/** Finds devices whose last bits differ from others': each computes a small batch that is always the same. */

import type { TextConfig } from '../../clip/index.ts';
import type { TowerTask } from '../tower-task.ts';
import type { TowerDevice } from './device.ts';
import { mostResultBytes, packTask, readResult, resultSizes } from './messages.ts';

/** As long as short captions. */
const idsOfCaption = 16;
const captions = 2;

/** Compares devices with the first one that has answered. */
export class SameBits {
  readonly #task: TowerTask;
  readonly #sizes: Readonly<Record<string, number>>;
  #first: { readonly name: string; readonly bits: string } | undefined;

  constructor(config: TextConfig) {
    this.#task = fixedTask(config);
    this.#sizes = resultSizes(this.#task, config);
  }

  /**
   * The device whose bits are not those of this one; undefined if they are the same, or if this is the first.
   * @throws Error as the device does
   */
  async otherThan(name: string, device: TowerDevice): Promise<string | undefined> {
    const answer = await device.compute(packTask(this.#task), mostResultBytes(this.#sizes));
    const values = Object.values(await readResult(answer, this.#sizes));
    const bits = values
      .map(({ buffer, byteOffset, length }) => new Uint32Array(buffer, byteOffset, length).join())
      .join();
    this.#first ??= { name, bits };
    return this.#first.bits === bits ? undefined : this.#first.name;
  }
}

function fixedTask({ vocabulary, positions: most, width, projection }: TextConfig): TowerTask {
  const positions = Math.min(idsOfCaption, most);
  const integers = (rows: number, columns: number, at: (place: number) => number) => {
    const data = BigInt64Array.from({ length: rows * columns }, (_, place) => BigInt(at(place)));
    return { shape: [rows, columns], data };
  };
  const floats = (columns: number) => {
    const data = Float32Array.from({ length: captions * columns }, (_, place) => Math.sin(place));
    return { shape: [captions, columns], data };
  };
  return {
    kind: 'reconstruction',
    feeds: {
      ids: integers(captions, positions, (place) => (place * 7919) % vocabulary),
      ends: integers(captions, 2, (place) => (place % 2 === 0 ? place / 2 : positions - 1)),
      placements: integers(captions, 2, (place) => (place % 2 === 0 ? place / 2 : 1)),
      injected: floats(width),
      wanted: floats(projection),
    },
  };
}
