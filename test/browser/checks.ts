/** What tests let a worker of a browser do: `pages/checks.ts` does it. Apart from that file, since Node knows no browser's types. */

import type { Task } from '../../bench/browser/work.ts';
import type { PreparedCaption } from '../../src/captions/index.ts';
import type { SessionOptions } from '../../src/onnx/index.ts';
import type { OperatorName } from '../../src/onnx/operators.ts';
import type { Extent, Window } from '../../src/pixels/index.ts';
import type { computed } from '../portable/computing.ts';
import type { towerErrors } from '../reference.ts';
import type { trainingErrors } from '../training-reference.ts';

/** A model's files by their names, and for `computing.ts` a phi, as paths in the repository. */
export type FilePaths = Readonly<Record<string, string>>;

export interface Checks {
  /** Of this browser and page. */
  facts(): Promise<{
    readonly threads: number;
    readonly adapter:
      | { readonly name: string; readonly hasFloat16: boolean; readonly isSoftware: boolean }
      | undefined;
  }>;
  /** Chooses ONNX Runtime's file for the CPU, at this address, or its bytes from there; and threads. */
  configure(choices: {
    readonly file?: string;
    readonly asBytes?: boolean;
    readonly threads?: number;
  }): Promise<void>;
  /** From now on this worker reserves no more pages of memory, as iPhones do. */
  limitMemory(pages: number): Promise<void>;
  /** Makes a session of the smallest graph, and runs it. */
  tiny(options: SessionOptions): Promise<number>;
  /** What many runs of two sessions give that are all asked for at once. */
  atOnce(options: SessionOptions): Promise<number[]>;
  /** Runs a graph before and after the GPU is taken away, or while it is. */
  lose(isRunning: boolean): Promise<number>;
  /** Runs a graph with a result of so many values. */
  large(values: number, options: SessionOptions): Promise<number>;
  /** Makes a session with weights of so many values, none of which is ever there. */
  heavy(values: number): Promise<void>;
  /** Decodes a picture while memory allows no array of more than so many bytes. */
  decodeWithin(path: string, bytes: number): Promise<void>;
  /** Keeps a session open. After the last one is gone, a GPU's programs are compiled anew, which takes a processor a minute. */
  hold(options: SessionOptions): Promise<void>;
  /** Fails if the engine does not agree with the reference in float64. */
  operator(name: OperatorName, tolerance: number, options: SessionOptions): Promise<void>;
  /** The same, of attention with as many positions as a tower has. */
  attention(positions: number, tolerance: number, options: SessionOptions): Promise<void>;
  /** The pixels of an image of the repository, or of given bytes, as a small vision tower would see it. */
  decode(
    image: { readonly path: string } | { readonly bytes: readonly number[] },
    window: Pick<Window, 'isStored'> & { readonly maxPixels?: number },
  ): Promise<{ readonly data: number[]; readonly whole: Extent }>;
  /** Embeddings of images at these paths by the model of these files. */
  images(files: FilePaths, paths: readonly string[]): Promise<number[][]>;
  /** Prepares what `bench/browser.ts` times; then does a part of it once, and says how long it took, in seconds, or what came out. */
  openWork(
    files: FilePaths,
    captions: readonly PreparedCaption[],
    options: Pick<SessionOptions, 'device' | 'threads'>,
  ): Promise<void>;
  timeWork(task: Task): Promise<number>;
  workResult(task: Task): Promise<number[]>;
  /** Seconds to hash so many bytes, as large models are checked. */
  timeHash(bytes: number): Promise<number>;
  towers: typeof towerErrors;
  training: typeof trainingErrors;
  computed(
    files: FilePaths,
    options: Parameters<typeof computed>[1],
  ): Promise<{ readonly fingerprint: string; readonly values: Readonly<Record<string, number[]>> }>;
}

/** What tests see of an image. */
export const smallWindow = {
  ...{ resize: { shortSide: 96 }, filter: 'bicubic', crop: { width: 96, height: 96 }, targetPad: Infinity },
} as const satisfies Omit<Window, 'isStored'>;
