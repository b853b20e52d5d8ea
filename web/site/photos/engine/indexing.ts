/** Brings an index up to date with folders: decodes and embeds what is new, and forgets what is gone. */

import type { ImagePreprocessing } from '../../../../src/clip/index.ts';
import type { NewEntry, PhotoIndex } from '../index/photo-index.ts';
import { type DecodedPicture, DecoderPool } from './decoding.ts';
import { type Embed, embedInParts } from './embed-in-parts.ts';
import { type Findings, lookThrough, type Todo, type Unread } from './looking.ts';
import { judgeLosses } from './losses.ts';
import type { PhotoFolder, Skipped } from './scan.ts';
import { unlessAborted } from './unless-aborted.ts';

export interface Job {
  readonly stage: 'looking' | 'indexing' | 'paused' | 'done' | 'failed';
  /** Pictures, and other files beside them. */
  readonly found: number;
  readonly others: number;
  readonly done: number;
  readonly todo: number;
  /** Pictures a second, lately; 0 if that is unknown. */
  readonly rate: number;
  readonly added: number;
  readonly removed: number;
  readonly broken: number;
  /** Pictures that stay in the index though they are not there, since a disk may be missing. */
  readonly away: number;
  /** Pictures that could not be read now, which a later look may do; and the reason of one. */
  readonly unread: number;
  readonly unreadReason: string;
  readonly skipped: Skipped;
  /** Why it failed, or what the person should know. */
  readonly problem?: string;
}

export const firstJob: Job = {
  ...{ stage: 'looking', found: 0, others: 0, done: 0, todo: 0, rate: 0, added: 0, removed: 0, broken: 0 },
  ...{ away: 0, unread: 0, unreadReason: '', skipped: new Map() },
};

/** What else a person may ask of it. */
export interface IndexingWishes {
  /** Try again what could not be decoded. */
  readonly withBroken?: boolean;
  /** Take out what is not there, also where a disk may be missing. */
  readonly withoutAway?: boolean;
}

interface IndexingTools extends IndexingWishes {
  readonly index: PhotoIndex;
  readonly preprocessing: ImagePreprocessing;
  readonly embed: Embed;
  readonly onJob: (job: Job) => void;
  readonly signal: AbortSignal;
  /** Resolves when work may go on; undefined if it may now. */
  readonly gate: () => Promise<void> | undefined;
}

/** Milliseconds of a batch: searches wait so long, too, and a closed tab loses no more. */
const batchTime = 700;
const largestBatch = 16;
/** Milliseconds over which the speed is measured. */
const rateWindow = 20_000;
const problemsShown = 3;

/** @throws what embedding and writing throw, and the signal's reason. What was added before stays. */
export async function bringUpToDate(folders: readonly PhotoFolder[], tools: IndexingTools): Promise<Job> {
  const { index, onJob, signal, withBroken = false } = tools;
  let job = firstJob;
  const tell = (part: Partial<Job>) => {
    job = { ...job, ...part };
    onJob(job);
  };
  const onFound = (found: number, others: number) => tell({ found, others });
  const findings = await lookThrough(folders, { index, withBroken, signal, onFound });
  const { todo, unread, skipped, problems } = findings;
  tell({ stage: 'indexing', todo: todo.length, skipped });
  const added = await addAll(todo, unread, tools, tell);
  const { gone, away } = lossesOf(findings, added, tools);
  if (gone.length > 0) index.add(gone.map((path) => ({ kind: 'gone', path })));
  const problem = problems.slice(0, problemsShown).join(' ');
  const facts = { removed: gone.length, away: away.length, broken: index.rows.broken.size };
  const left = { unread: unread.count, unreadReason: unread.reason };
  tell({ stage: 'done', rate: 0, ...facts, ...left, ...(problem && { problem }) });
  return job;
}

/** Adds what is to do. Returns the hashes of what was added. */
async function addAll(
  todo: readonly Todo[],
  unread: Unread,
  { index, preprocessing, embed, signal, gate }: IndexingTools,
  tell: (part: Partial<Job>) => void,
): Promise<ReadonlySet<string>> {
  const pool = new DecoderPool(Math.min(3, Math.max(1, Math.floor(navigator.hardwareConcurrency / 2))));
  const hashes = new Set<string>();
  try {
    let [done, added, size, most] = [0, 0, 1, largestBatch];
    const ahead: Promise<DecodedPicture>[] = [];
    let times = [{ at: performance.now(), done }];
    let next = 0;
    const fill = () => {
      while (next < todo.length && ahead.length < size + pool.size * 2)
        ahead.push(decodedFile(pool, todo[next++]!, preprocessing));
    };
    for (fill(); done < todo.length; fill()) {
      const closed = gate();
      if (closed) {
        await unlessAborted(closed, signal);
        times = [{ at: performance.now(), done }];
      }
      signal.throwIfAborted();
      const batch = todo.slice(done, done + size);
      const pictures = await unlessAborted(Promise.all(ahead.splice(0, batch.length)), signal);
      const begin = performance.now();
      const entries = await embedded(batch, pictures, index, async (pixels) => {
        const parts = await embedInParts(pixels, embed);
        if (parts.atOnce < parts.rows.length) most = parts.atOnce; // there is memory for no more
        return parts.rows;
      });
      signal.throwIfAborted();
      index.add(entries);
      const took = performance.now() - begin;
      if (took < batchTime / 2) size *= 2;
      else if (took > batchTime && size > 1) size /= 2;
      size = Math.min(size, most);
      done += batch.length;
      for (const entry of entries) {
        if (entry.kind !== 'picture') continue;
        added++;
        hashes.add(entry.hash);
      }
      for (const picture of pictures) {
        if (!('reason' in picture && picture.isPassing)) continue;
        unread.count++;
        unread.reason = picture.reason;
      }
      times.push({ at: performance.now(), done });
      while (times.length > 2 && times.at(-1)!.at - times[0]!.at > rateWindow) times.shift();
      const [first, last] = [times[0]!, times.at(-1)!];
      const rate = (1000 * (last.done - first.done)) / (last.at - first.at);
      tell({ done, added, rate, broken: index.rows.broken.size, unread: unread.count });
    }
  } finally {
    pool.close();
  }
  return hashes;
}

async function decodedFile(
  pool: DecoderPool,
  { folder, path }: Todo,
  preprocessing: ImagePreprocessing,
): Promise<DecodedPicture> {
  try {
    return await pool.decode({ path, file: await folder.file(path), preprocessing });
  } catch (error) {
    return { reason: error instanceof Error ? error.message : `${error}`, isPassing: true };
  }
}

/** What becomes of pictures in the index. The model looks only at contents that the index has not got. */
async function embedded(
  files: readonly Todo[],
  pictures: readonly DecodedPicture[],
  { rows }: PhotoIndex,
  embed: (pixels: readonly Float32Array[]) => Promise<readonly Float32Array[]>,
): Promise<NewEntry[]> {
  const unknown = pictures.filter((picture) => 'pixels' in picture && !rows.withHash(picture.hash));
  const pixels = unknown.map((picture) => ('pixels' in picture ? picture.pixels : new Float32Array()));
  const vectors = pixels.length > 0 ? await embed(pixels) : [];
  const embeddings = new Map(unknown.map((picture, at) => [picture, vectors[at]!]));
  return files.flatMap(({ path, size, modified }, place): NewEntry[] => {
    const picture = pictures[place]!;
    const file = { path, size, modified };
    if ('reason' in picture)
      return picture.isPassing ? [] : [{ kind: 'broken', ...file, reason: picture.reason }];
    const { id, hash, thumbnail, width, height, photo } = picture;
    const embedding = embeddings.get(picture) ?? rows.embedding(rows.withHash(hash)!);
    if (!embedding.some((value) => value !== 0) || !embedding.every(Number.isFinite))
      return [{ kind: 'broken', ...file, reason: 'the model gives no embedding for it' }];
    return [{ kind: 'picture', id, ...file, width, height, hash, photo, thumbnail, embedding }];
  });
}

/** What to take out of the index, and what stays. Pictures whose contents have just come elsewhere were moved. */
function lossesOf(
  { lost, isEmpty }: Findings,
  added: ReadonlySet<string>,
  { index: { rows }, withoutAway = false }: IndexingTools,
) {
  const gone: string[] = [];
  const away: string[] = [];
  for (const [{ name }, paths] of lost) {
    if (paths.length === 0) continue;
    const hasMoved = (path: string) => added.has(rows.withPath(path)?.facts.hash ?? '');
    const moved = new Set(withoutAway ? paths : paths.filter(hasMoved));
    const known = rows.pathsIn(name).filter((path) => !moved.has(path));
    const judged = judgeLosses(
      known,
      paths.filter((path) => !moved.has(path)),
      isEmpty,
    );
    gone.push(...moved, ...judged.gone);
    away.push(...judged.away);
  }
  return { gone, away };
}
