/** Finds images in object storage: below a prefix, as in a folder, and in the shards there. */

import { hash } from 'node:crypto';
import { posix } from 'node:path';
import { LincirError, option, quoted } from '../../core/index.ts';
import { looksOf } from '../endings.ts';
import type { FoundImage, WalkOptions } from '../files.ts';
import { exclusion, isWithinLeftOut } from '../left-out.ts';
import { isImageName } from '../looks.ts';
import { memberMark } from '../names.ts';
import { remoteShardImages } from '../shards.ts';
import { s3Listing } from './listing.ts';
import { type S3Facts, S3Object, s3Facts } from './object.ts';

/** Whatever was named: a shard, an image, or all that is below a prefix, shards among it. */
export type S3Source =
  | { readonly kind: 'shard' | 'image'; readonly facts: S3Facts }
  | { readonly kind: 'prefix'; readonly prefix: string };

/** Bytes that are enough to tell an image without a telling name. */
const beginningSize = 4096;

/**
 * What an address means. It is a prefix if it ends with a slash or names a bucket, or if there is no object of this name but some
 * below it.
 * @throws LincirError 'not-found' if there is neither, and what `S3Connection.request` throws
 */
export async function s3Source(name: string, signal?: AbortSignal): Promise<S3Source> {
  const address = name.replace(/^s3/i, 's3');
  const isPrefix = address.endsWith('/') || /^s3:\/\/[^/]*$/.test(address);
  if (!isPrefix) {
    const facts = await s3Facts(address, signal).catch((error: unknown) => {
      if (error instanceof LincirError && error.code === 'not-found') return undefined;
      throw error;
    });
    if (facts) return { kind: /\.tar$/i.test(address) ? 'shard' : 'image', facts };
  }
  const prefix = address.endsWith('/') ? address : `${address}/`;
  for await (const _ of s3Listing(prefix, signal)) return { kind: 'prefix', prefix };
  throw new LincirError('not-found', {
    subject: quoted(name, 200),
    expected: 'an object, or objects below this address',
    found: 'none',
    todo: 'check the address',
  });
}

/** Images and shards below a prefix, in the order of their keys. Hidden ones, and what `exclude` matches, are left out. */
export async function* s3Below(
  prefix: string,
  options: Pick<WalkOptions, 'exclude' | 'onLeftOut' | 'signal'>,
): AsyncGenerator<Extract<S3Source, { facts: S3Facts }>, void, void> {
  const isLeftOut = exclusion(options.exclude);
  for await (const facts of s3Listing(prefix, options.signal)) {
    const below = facts.name.slice(prefix.length);
    if (below === '' || below.endsWith('/') || isWithinLeftOut(below, isLeftOut)) continue;
    if (/\.tar$/i.test(below)) yield { kind: 'shard', facts };
    else {
      const looks = looksOf(below);
      if (looks === 'left out') options.onLeftOut?.(posix.basename(below));
      const isTaken = looks === 'taken' || (looks === 'unclear' && (await isImage(facts, options.signal)));
      if (isTaken) yield { kind: 'image', facts };
    }
  }
}

/** Another text when a shard may have other images: it has changed, or others are asked for. */
export function shardVersion(
  { etag, size, modified }: S3Facts,
  { exclude = [], followLinks = false }: Pick<WalkOptions, 'exclude' | 'followLinks'>,
): string {
  const contents = etag || `${size} ${modified}`;
  if (exclude.length === 0 && !followLinks) return contents;
  return `${contents} ${hash('sha256', JSON.stringify([exclude, followLinks])).slice(0, 16)}`;
}

/** All images of a source, but for those of known shards. */
export async function* s3Images(
  source: S3Source,
  options: WalkOptions,
): AsyncGenerator<FoundImage, void, void> {
  const all = source.kind === 'prefix' ? s3Below(source.prefix, options) : [source];
  for await (const { kind, facts } of all) {
    if (kind === 'shard') {
      const isKnown = options.isKnownShard?.(facts.name, shardVersion(facts, options)) ?? false;
      if (!isKnown) yield* remoteShardImages(facts, options);
    } else yield foundObject(facts, options.signal);
  }
}

export function foundObject(facts: S3Facts, signal?: AbortSignal): FoundImage {
  const { name, size, modified } = facts;
  const load = () => new S3Object(facts, signal).readAll();
  return { path: name, folder: posix.dirname(name), file: name, size, modified, load };
}

/** The bytes of an object. Throws LincirError 'not-found' and 'network'. */
export async function s3Bytes(file: string): Promise<Uint8Array<ArrayBuffer>> {
  return await new S3Object(await s3Facts(file)).readAll();
}

/**
 * The bytes that an index knows: all of an object of this size, or those of a shard's member, without the rest of the shard.
 * Undefined if the object has another size now, or is shorter. Throws as `s3Bytes` does, and 'not-found' for a member
 * whose place is not known.
 */
export async function knownS3Bytes(
  file: string,
  member: string | undefined,
  { size, memberOffset }: { readonly size: number; readonly memberOffset?: number },
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (member !== undefined && memberOffset === undefined) throw memberAlone(file, member);
  const facts = await s3Facts(file);
  const object = new S3Object(facts);
  if (member === undefined) return facts.size === size ? await object.readAll() : undefined;
  return memberOffset! + size <= facts.size ? await object.readPart(memberOffset!, size) : undefined;
}

/** The error for a member of which nobody knows where it lies. */
export function memberAlone(file: string, member: string): LincirError {
  return new LincirError('not-found', {
    subject: quoted(`${file}${memberMark}${member}`, 200),
    expected: 'an image whose place in its shard is known',
    found: 'a member of a shard in object storage that no index knows, or an earlier version indexed',
    todo: `index the shard, or index it again with ${option<{ compare: string }>('compare', 'contents')}`,
  });
}

async function isImage(facts: S3Facts, signal: AbortSignal | undefined): Promise<boolean> {
  const beginning = { ...facts, size: Math.min(facts.size, beginningSize) };
  return isImageName(await new S3Object(beginning, signal).readAll());
}
