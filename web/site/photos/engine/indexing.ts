/** Brings an index up to date with folders: looks for pictures, decodes and embeds the new ones, and forgets those that are gone. */

import type { ImagePreprocessing } from '../../../../src/clip/index.ts';
import type { NewEntry, PhotoIndex } from '../index/photo-index.ts';
import { type DecodedPicture, DecoderPool } from './decoding.ts';
import type { FoundFile, PhotoFolder, Skipped, WalkResult } from './scan.ts';

export interface Job {
  readonly stage: 'looking' | 'indexing' | 'paused' | 'done' | 'failed';
  readonly found: number;
  readonly done: number;
  readonly todo: number;
  /** Pictures a second, lately; 0 if that is unknown. */
  readonly rate: number;
  readonly added: number;
  readonly removed: number;
  readonly broken: number;
  readonly skipped: Skipped;
  /** Why it failed, or what the person should know. */
  readonly problem?: string;
}

export const firstJob: Job = {
  ...{ stage: 'looking', found: 0, done: 0, todo: 0, rate: 0, added: 0, removed: 0, broken: 0 },
  skipped: {},
};

interface IndexingTools {
  readonly index: PhotoIndex;
  readonly preprocessing: ImagePreprocessing;
  /** [pictures, 3, height, width] to their embeddings, one after the other. */
  readonly embed: (pixels: Float32Array) => Promise<Float32Array>;
  readonly onJob: (job: Job) => void;
  readonly signal: AbortSignal;
  /** Resolves when work may go on. */
  readonly gate: () => Promise<void>;
}

interface Todo extends FoundFile {
  readonly size: number;
  readonly modified: number;
}

/** Files that are asked for their size and time at once. */
const asksAtOnce = 16;
/** Milliseconds of a batch: searches wait so long, too, and a closed tab loses no more. */
const batchTime = 700;
const largestBatch = 16;
/** Milliseconds over which the speed is measured. */
const rateWindow = 20_000;

/** @throws what embedding and writing throw, and the signal's reason. What was added before stays. */
export async function bringUpToDate(folders: readonly PhotoFolder[], tools: IndexingTools): Promise<Job> {
  const { index, onJob, signal } = tools;
  let job = firstJob;
  const tell = (part: Partial<Job>) => {
    job = { ...job, ...part };
    onJob(job);
  };
  const walked: WalkResult = { skipped: {}, unreadable: new Map() };
  const todo: Todo[] = [];
  const seen = new Set<string>();
  for (const folder of folders) {
    for await (const found of measured(folder.walk(walked, signal))) {
      seen.add(found.path);
      if (isNew(index, found)) todo.push(found);
      if (seen.size % 200 === 0) tell({ found: seen.size, todo: todo.length });
    }
  }
  tell({ stage: 'indexing', found: seen.size, todo: todo.length, skipped: walked.skipped });
  await addAll(todo, tools, tell);
  const { gone, problem } = goneOf(index, folders, seen, walked);
  if (gone.length > 0) index.add(gone.map((path) => ({ kind: 'gone', path })));
  const removed = gone.length;
  tell({ stage: 'done', removed, broken: index.rows.broken.size, rate: 0, ...(problem && { problem }) });
  return job;
}

/** Their sizes and times, some at once: for 100,000 files it matters. */
async function* measured(files: AsyncIterable<FoundFile>): AsyncGenerator<Todo> {
  const asked: Promise<Todo | undefined>[] = [];
  const ask = async (found: FoundFile) => {
    try {
      const { size, lastModified } = await found.file();
      return { ...found, size, modified: lastModified };
    } catch {
      return undefined; // It has gone meanwhile.
    }
  };
  for await (const file of files) {
    asked.push(ask(file));
    if (asked.length < asksAtOnce) continue;
    const first = await asked.shift();
    if (first) yield first;
  }
  for (const one of asked) {
    const next = await one;
    if (next) yield next;
  }
}

function isNew({ rows }: PhotoIndex, { path, size, modified }: Todo): boolean {
  const known = rows.withPath(path)?.facts ?? rows.broken.get(path);
  return known === undefined || known.size !== size || known.modified !== modified;
}

async function addAll(
  todo: readonly Todo[],
  { index, preprocessing, embed, signal, gate }: IndexingTools,
  tell: (part: Partial<Job>) => void,
): Promise<void> {
  const pool = new DecoderPool(Math.min(3, Math.max(1, Math.floor(navigator.hardwareConcurrency / 2))));
  try {
    let [done, added, broken, size] = [0, 0, 0, 1];
    const ahead: Promise<DecodedPicture>[] = [];
    const times: { at: number; done: number }[] = [{ at: performance.now(), done }];
    let next = 0;
    const fill = () => {
      while (next < todo.length && ahead.length < size + pool.size * 2) {
        const { path, file } = todo[next++]!;
        ahead.push(decodedFile(pool, path, file, preprocessing));
      }
    };
    for (fill(); done < todo.length; fill()) {
      await gate();
      signal.throwIfAborted();
      const batch = todo.slice(done, done + size);
      const pictures = await Promise.all(ahead.splice(0, batch.length));
      const begin = performance.now();
      const entries = await embedded(batch, pictures, embed);
      signal.throwIfAborted();
      index.add(entries);
      const took = performance.now() - begin;
      if (took < batchTime / 2 && size < largestBatch) size *= 2;
      else if (took > batchTime && size > 1) size /= 2;
      done += batch.length;
      added += entries.filter(({ kind }) => kind === 'picture').length;
      broken = index.rows.broken.size;
      times.push({ at: performance.now(), done });
      while (times.length > 2 && times.at(-1)!.at - times[0]!.at > rateWindow) times.shift();
      const [first, last] = [times[0]!, times.at(-1)!];
      tell({ done, added, broken, rate: (1000 * (last.done - first.done)) / (last.at - first.at) });
    }
  } finally {
    pool.close();
  }
}

async function decodedFile(
  pool: DecoderPool,
  path: string,
  open: () => Promise<File>,
  preprocessing: ImagePreprocessing,
): Promise<DecodedPicture> {
  try {
    return await pool.decode({ path, file: await open(), preprocessing });
  } catch (error) {
    return { reason: error instanceof Error ? error.message : `${error}`, isPassing: true };
  }
}

async function embedded(
  files: readonly Todo[],
  pictures: readonly DecodedPicture[],
  embed: IndexingTools['embed'],
): Promise<NewEntry[]> {
  const whole = pictures.filter((picture) => 'pixels' in picture);
  const length = whole[0]?.pixels.length ?? 0;
  const pixels = new Float32Array(whole.length * length);
  for (const [at, picture] of whole.entries()) pixels.set(picture.pixels, at * length);
  const embeddings = whole.length > 0 ? await embed(pixels) : new Float32Array();
  const dimensions = embeddings.length / whole.length;
  let at = 0;
  return files.flatMap(({ path, size, modified }, place): NewEntry[] => {
    const picture = pictures[place]!;
    const file = { path, size, modified };
    if ('reason' in picture)
      return picture.isPassing ? [] : [{ kind: 'broken', ...file, reason: picture.reason }];
    const embedding = embeddings.slice(at * dimensions, ++at * dimensions);
    if (!embedding.some((value) => value !== 0) || !embedding.every(Number.isFinite))
      return [{ kind: 'broken', ...file, reason: 'the model gives no embedding for it' }];
    const { id, hash, thumbnail, width, height } = picture;
    return [{ kind: 'picture', id, ...file, width, height, hash, thumbnail, embedding }];
  });
}

/** Pictures whose folder was read, and which are not in it any more. An empty folder is rather one that is not there. */
function goneOf(
  { rows }: PhotoIndex,
  folders: readonly PhotoFolder[],
  seen: ReadonlySet<string>,
  { unreadable }: WalkResult,
): { readonly gone: string[]; readonly problem?: string } {
  const isIn = (path: string, folder: string) => path.startsWith(`${folder}/`);
  const known = [...Array.from(rows.all(), ({ facts }) => facts.path), ...rows.broken.keys()];
  const problems = Array.from(unreadable, ([folder, reason]) => `${folder} cannot be read: ${reason}`);
  const gone = folders.flatMap(({ name }) => {
    const inside = known.filter((path) => isIn(path, name));
    if (inside.length > 0 && !inside.some((path) => seen.has(path)) && inside.length > 1) {
      problems.push(
        `No picture of ${name} is there any more. They stay in the index until one of them is back.`,
      );
      return [];
    }
    const isUnread = (path: string) => [...unreadable.keys()].some((folder) => isIn(path, folder));
    return inside.filter((path) => !seen.has(path) && !isUnread(path));
  });
  return { gone, ...(problems.length > 0 && { problem: problems.slice(0, 3).join(' ') }) };
}
