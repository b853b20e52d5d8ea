/** Looks through folders for what is new in them, and what is not there any more. */

import type { PhotoIndex } from '../index/photo-index.ts';
import type { FoundFile, PhotoFolder, Skipped, WalkResult } from './scan.ts';
import { unlessAborted } from './unless-aborted.ts';

/** A picture to index, in its present state. */
export interface Todo {
  readonly folder: PhotoFolder;
  readonly path: string;
  readonly size: number;
  readonly modified: number;
}

/** Pictures that are there and cannot be read, by the machine's fault. */
export interface Unread {
  count: number;
  /** Of the last one. */
  reason: string;
}

export interface Findings {
  readonly todo: readonly Todo[];
  readonly unread: Unread;
  readonly skipped: Skipped;
  /** Why folders could not be read, as the person sees it. */
  readonly problems: readonly string[];
  /** For each folder, which pictures of the index were not found where they could have been. */
  readonly lost: ReadonlyMap<PhotoFolder, readonly string[]>;
  /** Whether a folder is there, with nothing in it. */
  readonly isEmpty: (folder: string) => boolean;
}

interface LookingTools {
  readonly index: PhotoIndex;
  /** Whether to try again what could not be decoded. */
  readonly withBroken: boolean;
  readonly signal: AbortSignal;
  readonly onFound: (found: number, others: number) => void;
}

/** Files that are asked for their size and time at once. */
const asksAtOnce = 16;
/** Milliseconds between two looks at the clock's news. */
const newsPause = 100;

export async function lookThrough(
  folders: readonly PhotoFolder[],
  { index, withBroken, signal, onFound }: LookingTools,
): Promise<Findings> {
  const walked: WalkResult = { skipped: new Map(), unreadable: new Map(), empty: new Set() };
  const todo: Todo[] = [];
  const unread: Unread = { count: 0, reason: '' };
  const seen = new Set<string>();
  let told = 0;
  for (const folder of folders) {
    for await (const { path, ...found } of measured(folder.walk(walked, signal), signal)) {
      seen.add(path);
      if ('reason' in found) {
        unread.count++;
        unread.reason = found.reason;
      } else if (isNew(index, path, found, withBroken)) todo.push({ folder, path, ...found });
      const now = performance.now();
      if (now - told < newsPause) continue;
      told = now;
      onFound(seen.size, sum(walked.skipped));
    }
  }
  onFound(seen.size, sum(walked.skipped));
  return {
    ...{ todo, unread, skipped: walked.skipped },
    lost: new Map(folders.map((folder) => [folder, lostOf(index, folder, seen, walked)])),
    problems: Array.from(walked.unreadable, ([path, reason]) => `${path} cannot be read: ${reason}`),
    isEmpty: (path) => walked.empty.has(path),
  };
}

type Measured = { readonly path: string } & (
  | { readonly size: number; readonly modified: number }
  | { readonly reason: string }
);

/** Their sizes and times, some at once: for 100,000 files it matters. */
async function* measured(files: AsyncIterable<FoundFile>, signal: AbortSignal): AsyncGenerator<Measured> {
  const asked: Promise<Measured>[] = [];
  const ask = async ({ path, file }: FoundFile): Promise<Measured> => {
    try {
      const { size, lastModified } = await file();
      return { path, size, modified: lastModified };
    } catch (error) {
      return { path, reason: error instanceof Error ? error.message : `${error}` };
    }
  };
  for await (const file of files) {
    asked.push(ask(file));
    if (asked.length === asksAtOnce) yield await unlessAborted(asked.shift()!, signal);
  }
  for (const one of asked) yield await unlessAborted(one, signal);
}

function isNew(
  { rows }: PhotoIndex,
  path: string,
  { size, modified }: { readonly size: number; readonly modified: number },
  withBroken: boolean,
): boolean {
  const broken = withBroken ? undefined : rows.broken.get(path);
  const known = rows.withPath(path)?.facts ?? broken;
  return known === undefined || known.size !== size || known.modified !== modified;
}

/** Pictures of a folder that was read, and that are not in it any more. */
function lostOf(
  { rows }: PhotoIndex,
  { name }: PhotoFolder,
  seen: ReadonlySet<string>,
  { unreadable }: WalkResult,
): string[] {
  const closed = Array.from(unreadable.keys(), (folder) => `${folder}/`);
  return rows
    .pathsIn(name)
    .filter((path) => !seen.has(path) && !closed.some((folder) => path.startsWith(folder)));
}

function sum(counts: Skipped): number {
  let total = 0;
  for (const number of counts.values()) total += number;
  return total;
}
