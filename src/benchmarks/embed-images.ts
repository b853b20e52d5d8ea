/** Embeds a benchmark's images, once for each model, and keeps the embeddings on disk. */

import { join } from 'node:path';
import type { Clip } from '../clip/index.ts';
import { formatCount, LincirError } from '../core/index.ts';
import { VectorCache } from '../files/index.ts';
import { type FoundImage, ImageReader } from '../pictures/index.ts';
import type { Benchmark, BenchmarkImage } from './benchmark.ts';
import { type FileFacts, headerProblems, type ImageProblem, imageFacts } from './image-facts.ts';

export interface EmbedImagesOptions {
  /** Where to keep embeddings, in a folder for each model. Absent: nowhere. */
  readonly cache?: string;
  readonly maxPixels?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (stage: 'looking' | 'checking' | 'encoding', done: number, total: number) => void;
  /** Called for every missing or broken image, before the error. */
  readonly onProblem?: (problem: ImageProblem) => void;
}

/** Un-normalised embeddings of all images of a benchmark. */
export interface ImageEmbeddings {
  /** [pictures, dimensions], in the order of the benchmark's images. */
  readonly data: Float32Array;
  readonly dimensions: number;
  /** 1 / the length of each row; 0 for a row of zeros. */
  readonly scales: Float32Array;
  /** Row by image id. */
  readonly rows: ReadonlyMap<string, number>;
  /** How many were encoded now, because they were not on disk. */
  readonly encoded: number;
}

/** Images between two writes to the disk, unless they take longer than the time below. */
const picturesPerWrite = 4096;
const millisecondsPerWrite = 60_000;

/**
 * Embeds the images of a benchmark. Before it encodes anything, it checks all files, and the headers of those that are
 * not in the cache. After an interruption, the same call continues; at most the last minute is lost.
 * @throws LincirError 'bad-file' for images that are missing or broken
 */
export async function embedImages(
  benchmark: Pick<Benchmark, 'images' | 'folder' | 'isUpright'>,
  clip: Clip,
  { cache, maxPixels, signal, onProgress, onProblem }: EmbedImagesOptions = {},
): Promise<ImageEmbeddings> {
  const { images, folder, isUpright = false } = benchmark;
  const dimensions = clip.visionConfig.projection;
  const refuse = (problems: readonly ImageProblem[]) => {
    for (const problem of problems) onProblem?.(problem);
    if (problems.length > 0) throw missing(folder, problems, images.length);
  };
  const { facts, problems } = await imageFacts(images, (done) =>
    onProgress?.('looking', done, images.length),
  );
  refuse(problems);

  const store = cache === undefined ? undefined : await VectorCache.open(folderFor(cache, clip), dimensions);
  const keys = images.map((image) => keyOf(image, facts.get(image.path)!, isUpright));
  const known: [string, number][] = [];
  const wanted: number[] = [];
  for (const [row, key] of keys.entries()) {
    if (store?.has(key)) known.push([key, row]);
    else wanted.push(row);
  }
  const paths = [...new Set(wanted.map((row) => images[row]!.path))];
  refuse(await headerProblems(paths, (done) => onProgress?.('checking', done, paths.length)));

  const data = new Float32Array(images.length * dimensions);
  await store?.read(known, data);
  let unwritten: number[] = [];
  let written = performance.now();
  const write = async () => {
    await store?.add(
      unwritten.map((row) => keys[row]!),
      rowsOf(data, unwritten, dimensions),
    );
    unwritten = [];
    written = performance.now();
  };
  let done = 0;
  try {
    for await (const batch of encoded(images, wanted, facts, clip, { isStored: !isUpright, maxPixels })) {
      for (const [at, row] of batch.rows.entries()) {
        data.set(batch.embeddings.subarray(at * dimensions, (at + 1) * dimensions), row * dimensions);
      }
      unwritten.push(...batch.rows);
      done += batch.rows.length;
      onProgress?.('encoding', done, wanted.length);
      if (unwritten.length >= picturesPerWrite || performance.now() - written > millisecondsPerWrite)
        await write();
      signal?.throwIfAborted();
    }
  } finally {
    await write();
  }
  const rows = new Map(images.map(({ id }, row) => [id, row]));
  return { data, dimensions, scales: inverseNorms(data, dimensions), rows, encoded: wanted.length };
}

/** Copies rows of a matrix into a new one. */
export function rowsOf(data: Float32Array, rows: readonly number[], size: number): Float32Array {
  const first = rows[0] ?? 0;
  if (rows.every((row, at) => row === first + at)) {
    return data.subarray(first * size, (first + rows.length) * size);
  }
  const chosen = new Float32Array(rows.length * size);
  rows.forEach((row, at) => {
    chosen.set(data.subarray(row * size, (row + 1) * size), at * size);
  });
  return chosen;
}

/** 1 / the length of every row; 0 for a row of zeros. */
export function inverseNorms(data: Float32Array, dimensions: number): Float32Array {
  const norms = new Float32Array(data.length / dimensions);
  for (let row = 0; row < norms.length; row += 1) {
    const squares = dot(data, row * dimensions, data, row * dimensions, dimensions);
    norms[row] = squares > 0 ? 1 / Math.sqrt(squares) : 0;
  }
  return norms;
}

/** The product of `size` values of a from i on with those of b from j on. Four sums: no addition waits for the one before. */
export function dot(a: Float32Array, i: number, b: Float32Array, j: number, size: number): number {
  let first = 0;
  let second = 0;
  let third = 0;
  let fourth = 0;
  let at = 0;
  for (; at + 3 < size; at += 4) {
    first += a[i + at]! * b[j + at]!;
    second += a[i + at + 1]! * b[j + at + 1]!;
    third += a[i + at + 2]! * b[j + at + 2]!;
    fourth += a[i + at + 3]! * b[j + at + 3]!;
  }
  for (; at < size; at += 1) first += a[i + at]! * b[j + at]!;
  return first + second + third + fourth;
}

/** Reads, preprocesses and encodes images. Threads read ahead of the encoder. */
async function* encoded(
  images: readonly BenchmarkImage[],
  wanted: readonly number[],
  facts: ReadonlyMap<string, FileFacts>,
  clip: Clip,
  { isStored, maxPixels }: { readonly isStored: boolean; readonly maxPixels: number | undefined },
): AsyncGenerator<{ readonly rows: readonly number[]; readonly embeddings: Float32Array }, void, void> {
  if (wanted.length === 0) return;
  const perRun = clip.picturesPerRun;
  const reader = new ImageReader({
    preprocessing: clip.preprocessing,
    targetPad: clip.targetPad ?? undefined,
    maxPixels,
    isStored,
    ahead: 3 * perRun,
  });
  async function* pictures() {
    for (const row of wanted) {
      const { path, region } = images[row]!;
      const { size, modified } = facts.get(path)!;
      const picture: FoundImage = { path, folder: '', file: path, size, modified, region };
      yield { picture, known: [], row };
    }
  }
  let waiting: { readonly row: number; readonly pixels: Float32Array }[] = [];
  const flush = async () => {
    const size = waiting[0]!.pixels.length;
    const pixels = new Float32Array(waiting.length * size);
    waiting.forEach((item, at) => {
      pixels.set(item.pixels, at * size);
    });
    const rows = waiting.map(({ row }) => row);
    waiting = [];
    const { data } = await clip.encodePixels(pixels);
    const at = data.findIndex((value) => !Number.isFinite(value));
    if (at < 0) return { rows, embeddings: data };
    const { path } = images[rows[Math.floor(at / (data.length / rows.length))]!]!;
    throw new LincirError('bad-file', {
      subject: path,
      expected: 'an embedding of finite numbers',
      found: 'others: the model cannot take this image',
    });
  };
  try {
    for await (const { wanted: asked, read } of reader.read(pictures())) {
      if ('reason' in read) {
        const { path } = asked.picture;
        throw missing(path, [{ path, reason: read.reason }], 1);
      }
      waiting.push({ row: asked.row, pixels: read.pixels! });
      if (waiting.length === perRun) yield await flush();
    }
    if (waiting.length > 0) yield await flush();
  } finally {
    await reader.close();
  }
}

function folderFor(cache: string, { fingerprint, targetPad }: Clip): string {
  return join(cache, 'pictures', targetPad === null ? fingerprint : `${fingerprint}-padded-${targetPad}`);
}

function keyOf(
  { path, region }: BenchmarkImage,
  { size, modified, altered }: FileFacts,
  isUpright: boolean,
): string {
  return JSON.stringify([path, size, modified, altered, region ?? null, isUpright ? 'upright' : 'stored']);
}

function missing(subject: string, problems: readonly ImageProblem[], all: number): LincirError {
  const [first] = problems;
  const rest = problems.length - 1;
  return new LincirError('bad-file', {
    subject,
    expected: all === 1 ? 'an image' : `all of ${formatCount(all)} images`,
    found: `${first!.path}: ${first!.reason}${rest > 0 ? `, and ${formatCount(rest)} more that are missing or broken` : ''}`,
    todo: "get the benchmark's images again: nothing is scored without all of them",
  });
}
