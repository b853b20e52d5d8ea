/** Checks, before anything is encoded, that every image of a benchmark is there and looks like an image. */

import { access, constants, open, stat } from 'node:fs/promises';
import { chunks, isPassing } from '../core/index.ts';
import { formatOf } from '../decoding/index.ts';
import { asLincirError } from '../files/index.ts';
import type { BenchmarkImage } from './benchmark.ts';

/** Facts about a file now. Its embedding is kept under these. */
export interface FileFacts {
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  /** The ctime, which nobody can set. Contents may change while the time above stays. */
  readonly altered: number;
}

export interface ImageProblem {
  readonly path: string;
  readonly reason: string;
}

/** Files to check at once. */
const filesAtOnce = 64;

/**
 * Checks the file of every image.
 * @returns the facts by path, and all problems: missing, not a file, empty, no permission
 */
export async function imageFacts(
  images: readonly BenchmarkImage[],
  onProgress?: (done: number) => void,
): Promise<{ facts: ReadonlyMap<string, FileFacts>; problems: readonly ImageProblem[] }> {
  const paths = [...new Set(images.map(({ path }) => path))];
  const facts = new Map<string, FileFacts>();
  const problems = await eachProblem(paths, onProgress, async (path) => {
    const found = await stat(path);
    if (!found.isFile()) return 'not a file';
    if (found.size === 0) return 'an empty file';
    await access(path, constants.R_OK);
    facts.set(path, { size: found.size, modified: found.mtimeMs, altered: found.ctimeMs });
    return undefined;
  });
  return { facts, problems };
}

/** Checks how the files begin. Damage further down shows when they are decoded. */
export async function headerProblems(
  paths: readonly string[],
  onProgress?: (done: number) => void,
): Promise<readonly ImageProblem[]> {
  return await eachProblem(paths, onProgress, async (path) => {
    await using file = await open(path);
    const { buffer, bytesRead } = await file.read(new Uint8Array(beginningBytes));
    return formatOf(buffer.subarray(0, bytesRead)) === undefined ? 'no image' : undefined;
  });
}

const beginningBytes = 4096;

async function eachProblem(
  paths: readonly string[],
  onProgress: ((done: number) => void) | undefined,
  look: (path: string) => Promise<string | undefined>,
): Promise<readonly ImageProblem[]> {
  const problems: ImageProblem[] = [];
  let done = 0;
  for await (const some of chunks(paths, filesAtOnce)) {
    const reasons = await Promise.all(some.map((path) => look(path).catch((error) => reasonIn(error, path))));
    for (const [at, reason] of reasons.entries()) {
      if (reason !== undefined) problems.push({ path: some[at]!, reason });
    }
    done += some.length;
    onProgress?.(done);
  }
  return problems;
}

/** The problem of a file. Throws an error that is not the file's fault. */
function reasonIn(error: unknown, path: string): string {
  if (isPassing(error)) throw asLincirError(error, path, 'read');
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'nothing there';
  if (code === 'EACCES' || code === 'EPERM') return 'no permission to read it';
  return message.split('\n')[0]!;
}
