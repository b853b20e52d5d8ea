/** Images to embed: finds those that a command line names, and embeds them, with or without broken ones. */

import { lstat } from 'node:fs/promises';
import { isAbsolute, posix, relative, resolve, sep } from 'node:path';
import { glob } from 'tinyglobby';
import type { Clip } from '../../clip/index.ts';
import { type Float32Tensor, LincirError, quoted } from '../../core/index.ts';
import { pathOnDisk, statOf } from '../../files/index.ts';
import {
  exclusion,
  isOfShard,
  leftOutCounter,
  openSources,
  type SourceOptions,
  type Unreadable,
  type WorkShard,
} from '../../pictures/index.ts';
import type { BatchOptions, Input } from './input.ts';
import type { PartialWork, Skipped } from './partial-work.ts';

/** Called for what cannot be read, and for files that look like images and are not taken. */
type Found = Pick<SourceOptions, 'onUnreadable' | 'onLeftOut'>;

/**
 * Images as input of `lincir embed`.
 * @param skipBroken note the images that cannot be read, instead of throwing at the first
 * @param shard takes only those that fall to it, by the hashes of their names
 * @throws LincirError as `listPictures` does, and 'bad-file' for what cannot be read, unless that is skipped
 */
export async function imagesInput(
  patterns: readonly string[],
  skipBroken: boolean,
  note: (line: string) => void,
  shard?: WorkShard,
): Promise<Input> {
  const { counts: leftOut, count: onLeftOut } = leftOutCounter();
  const onUnreadable = ({ path, reason }: Unreadable) => {
    if (skipBroken) return note(`left out: ${path}: ${reason}`);
    const todo = 'repair it, or give --skip-broken';
    throw new LincirError('bad-file', {
      ...{ subject: path, expected: 'an image or folder that can be read', found: reason, todo },
    });
  };
  const all = await listImages(patterns, { onUnreadable, onLeftOut });
  const names = shard ? all.filter((name) => isOfShard(name, shard)) : all;
  return {
    kind: 'images',
    leftOut,
    names: () => names,
    batches: (clip, work, options) =>
      skipBroken
        ? unbrokenBatches(clip, work, options)
        : clip.imageBatches(work.namesFrom(work.done), options),
  };
}

/**
 * The images that the patterns name, sorted, each once. A path means that file. A folder means every image in and below
 * it, as for `lincir index`. A glob pattern means every file that matches, except in folders that `lincir index` leaves
 * out. Paths have forward slashes on every system.
 * @throws LincirError 'not-found' naming a pattern that no file matches.
 */
export async function listImages(patterns: readonly string[], found: Found): Promise<string[]> {
  const names = await Promise.all(patterns.map((pattern) => picturesOf(pattern, found)));
  return [...new Set(names.flat())].sort();
}

async function picturesOf(pattern: string, found: Found): Promise<string[]> {
  const path = await pathOnDisk(process.platform === 'win32' ? pattern.replaceAll('\\', '/') : pattern);
  // A name on disk is taken literally: `photo (1).jpg` looks like a pattern.
  const entry = await statOf(path);
  if (entry?.isFile()) return [posix.normalize(path)];
  const pictures = entry?.isDirectory() ? await picturesIn(path, found) : await matchesOf(path);
  if (pictures.length > 0) return pictures;
  throw new LincirError('not-found', {
    subject: `--images ${quoted(pattern)}`,
    expected:
      entry === undefined ? 'an image, a folder, or a pattern that files match' : 'images in the folder',
    found: 'none',
    todo: 'check the path',
  });
}

async function picturesIn(folder: string, found: Found): Promise<string[]> {
  const root = resolve(folder);
  const { pictures } = await openSources([folder], found);
  const names: string[] = [];
  for await (const { file } of pictures()) {
    names.push(posix.join(folder, relative(root, file).split(sep).join('/')));
  }
  return names;
}

/** Folders that are links, or that are left out elsewhere, are read only if the pattern has their names. */
async function matchesOf(pattern: string): Promise<string[]> {
  // A folder's name may have another Unicode form than the names in it. The part before the pattern is as the disk has it.
  const names = pattern.split('/');
  const first = names.findIndex((name) => /[*?[\](){}!+@]/.test(name));
  const forms = names.map((name, at) =>
    at < first ? [name] : [...new Set([name, name.normalize('NFC'), name.normalize('NFD')])],
  );
  const patterns = forms.reduce((befores, some) =>
    befores.flatMap((before) => some.map((name) => `${before}/${name}`)),
  );
  const found = await glob(patterns, { absolute: isAbsolute(pattern), expandDirectories: false });
  const isLeftOut = exclusion();
  const written = new Set(pattern.split('/'));
  const known = new Map([['.', true]]);
  const isReached = async (folder: string): Promise<boolean> => {
    const before = known.get(folder);
    if (before !== undefined) return before;
    const [above, name] = [posix.dirname(folder), posix.basename(folder)];
    const isPassed = written.has(name) || !(isLeftOut(name) || (await lstat(folder)).isSymbolicLink());
    known.set(folder, above === folder || (isPassed && (await isReached(above))));
    return known.get(folder)!;
  };
  const matches: string[] = [];
  for (const name of found) if (await isReached(posix.dirname(name))) matches.push(name);
  return matches;
}

/** Embeds the images. An image that cannot be read is noted in `work`, and its row is zeros. */
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
