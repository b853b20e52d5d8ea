/** Pictures to embed: which ones a command line means, and their embeddings, with or without the broken ones. */

import { stat } from 'node:fs/promises';
import { isAbsolute, posix } from 'node:path';
import { glob } from 'tinyglobby';
import type { Clip } from '../clip/index.ts';
import { type Float32Tensor, LincirError, quoted } from '../core/index.ts';
import type { BatchOptions, Input } from './input.ts';
import type { PartialWork, Skipped } from './partial-work.ts';

/** What counts as a picture in a folder. A file that is named itself may be called anything. */
const picturesInFolder = '**/*.{jpg,jpeg,png,webp,gif,tif,tiff,avif}';

/**
 * Pictures as input of `lincir embed`.
 * @param skipBroken note the pictures that cannot be read, instead of throwing at the first
 * @throws LincirError as `listPictures` does
 */
export async function picturesInput(patterns: readonly string[], skipBroken: boolean): Promise<Input> {
  const names = await listPictures(patterns);
  return {
    kind: 'pictures',
    names: () => names,
    batches: (clip, work, options) =>
      skipBroken
        ? unbrokenBatches(clip, work, options)
        : clip.imageBatches(work.namesFrom(work.done), options),
  };
}

/**
 * The pictures that the patterns name, sorted, each once: of a path, that file; of a folder, every picture in and
 * under it; of a glob pattern, every file that matches. Paths have forward slashes on every system.
 * @throws LincirError 'not-found' naming a pattern that no file matches.
 */
export async function listPictures(patterns: readonly string[]): Promise<string[]> {
  const found = await Promise.all(patterns.map(picturesOf));
  return [...new Set(found.flat())].sort();
}

async function picturesOf(pattern: string): Promise<string[]> {
  const path = process.platform === 'win32' ? pattern.replaceAll('\\', '/') : pattern;
  // A name on disk is taken literally: `photo (1).jpg` looks like a pattern.
  const entry = await stat(path).catch(() => undefined);
  if (entry?.isFile()) return [posix.normalize(path)];
  const pictures = entry?.isDirectory()
    ? (await glob(picturesInFolder, { cwd: path, caseSensitiveMatch: false })).map((name) =>
        posix.join(path, name),
      )
    : await glob(path, { absolute: isAbsolute(path), expandDirectories: false });
  if (pictures.length > 0) return pictures;
  throw new LincirError('not-found', {
    subject: `--images ${quoted(pattern)}`,
    expected:
      entry === undefined ? 'a picture, a folder, or a pattern that files match' : 'pictures in the folder',
    found: 'none',
    todo: 'check the path',
  });
}

/** The pictures' embeddings. A picture that cannot be read is noted in `work`, and its row is zeros. */
async function* unbrokenBatches(
  clip: Clip,
  work: PartialWork,
  options: BatchOptions,
): AsyncGenerator<Float32Tensor, void, void> {
  const { done } = work;
  const broken: Skipped[] = [];
  const onBroken = ({ problem: { subject, expected, found } }: LincirError, index: number) =>
    broken.push({ index: done + index, name: subject, reason: `expected ${expected}, found ${found}` });
  for await (const batch of clip.imageBatches(work.namesFrom(done), { ...options, onBroken })) {
    for (const entry of broken.splice(0)) await work.skip(entry);
    yield batch;
  }
}
