/** Reads images in WebDataset shards (tar archives) without unpacking, by the names they would have in a folder. */

import { posix } from 'node:path';
import { LincirError, nameKey, type RandomAccess } from '../core/index.ts';
import { type FileSource, openFile, readingFile } from '../files/index.ts';
import { looksOf } from './endings.ts';
import { type FoundImage, tellUnreadable, type WalkOptions } from './files.ts';
import { exclusion, isWithinLeftOut } from './left-out.ts';
import { isImagePart } from './looks.ts';
import { indexPath, memberMark, memberName } from './names.ts';
import { type S3Facts, S3Object } from './s3/object.ts';
import { type TarMember, tarMembers } from './tar.ts';

/** More links in a row than systems follow count as a circle. */
const linksInARow = 40;

type Members = Map<string, TarMember>;
type Followed = TarMember & { readonly isFollowed: boolean };

/** The images in a shard. Hidden ones, and what `exclude` matches, are left out as in folders. */
export async function* shardImages(
  name: string,
  options: WalkOptions,
): AsyncGenerator<FoundImage, void, void> {
  const path = indexPath(name);
  let shard: FileSource | undefined;
  try {
    shard = await openFile(name);
    const { modified, statusChanged } = shard;
    const { members, failure } = await gather(shard, options.signal);
    for await (const image of imagesAmong(allOf(members), shard, path, options)) {
      yield { ...image, file: name, modified, statusChanged };
    }
    if (failure !== undefined) throw failure;
  } catch (error) {
    tellUnreadable(error, path, options);
  } finally {
    await shard?.close();
  }
}

/**
 * The same for a shard in object storage, which is read once, from its beginning to its end. Of several members with one
 * name, each comes: the last one counts.
 */
export async function* remoteShardImages(
  facts: S3Facts,
  options: WalkOptions,
): AsyncGenerator<FoundImage, void, void> {
  const { name: path, modified } = facts;
  try {
    const shard = new S3Object(facts, options.signal);
    for await (const image of imagesAmong(inOrder(shard), shard, path, options)) {
      const load = () => shard.read(image.offset, image.size);
      yield { ...image, file: path, modified, load };
    }
  } catch (error) {
    options.signal?.throwIfAborted();
    tellUnreadable(error, path, options);
  }
}

/** Those of the members that are images. Tells about the others. */
async function* imagesAmong(
  found: Iterable<readonly [string, Followed]> | AsyncIterable<readonly [string, Followed]>,
  shard: RandomAccess,
  path: string,
  options: WalkOptions,
): AsyncGenerator<Pick<FoundImage, 'path' | 'folder' | 'size'> & { readonly offset: number }, void, void> {
  const isLeftOut = exclusion(options.exclude);
  for await (const [member, { size, offset, problem, isFollowed }] of found) {
    options.signal?.throwIfAborted();
    if (isFollowed && !options.followLinks) continue;
    const looks = looksOf(member);
    if (looks === 'other' || isWithinLeftOut(member, isLeftOut)) continue;
    const known = `${path}${memberMark}${member}`;
    if (looks === 'left out') options.onLeftOut?.(member);
    else if (looks === 'unclear' && (problem ?? !(await isImagePart(shard, offset, size)))) continue;
    else if (problem === undefined) yield { path: known, folder: posix.dirname(known), size, offset };
    else options.onUnreadable({ path: known, reason: problem, isMissing: false });
  }
}

function* allOf(members: Members): Generator<readonly [string, Followed], void, void> {
  for (const name of members.keys()) yield [name, followed(members, name)];
}

/** Members as they come, symbolic links last. */
async function* inOrder(shard: RandomAccess): AsyncGenerator<readonly [string, Followed], void, void> {
  const members: Members = new Map();
  const links: string[] = [];
  for await (const member of tarMembers(shard)) {
    const name = noted(members, member);
    if (members.get(name)!.link?.kind === 'symbolic') links.push(name);
    else yield [name, followed(members, name)];
  }
  for (const name of links) yield [name, followed(members, name)];
}

/**
 * The bytes of a member. Throws LincirError 'not-found', 'io' or 'bad-file'.
 * @param largest more bytes are not read
 */
export async function memberBytes(
  shard: string,
  member: string,
  largest = Number.POSITIVE_INFINITY,
): Promise<Uint8Array<ArrayBuffer>> {
  const subject = `${shard}${memberMark}${member}`;
  return await readingFile(shard, async (file) => {
    const { members, failure } = await rememberedMembers(file);
    const wanted = memberName(member);
    const key = nameKey(wanted);
    const name = members.has(wanted) ? wanted : [...members.keys()].find((other) => nameKey(other) === key);
    if (name === undefined) {
      throw (
        failure ??
        new LincirError('not-found', {
          subject,
          expected: 'it in the shard',
          found: 'no such member',
          todo: 'bring the index up to date',
        })
      );
    }
    const { offset, size, problem } = followed(members, name);
    if (problem === undefined && size <= largest) return await file.read(offset, size);
    const expected = problem === undefined ? `at most ${largest} bytes` : 'a file in the shard';
    throw new LincirError('bad-file', { subject, expected, found: problem ?? `${size}` });
  });
}

type Gathered = Awaited<ReturnType<typeof gather>>;

/** Members of the shards that were read last, because a search finds many images of one shard. */
const remembered: { readonly key: string; readonly gathered: Gathered }[] = [];
const mostRemembered = 4;
/** A larger shard would take too much memory. */
const mostMembersRemembered = 200_000;

async function rememberedMembers(file: FileSource): Promise<Gathered> {
  const { name, size, modified, statusChanged } = file;
  const key = JSON.stringify([name, size, modified, statusChanged]);
  const at = remembered.findIndex((one) => one.key === key);
  const gathered = remembered[at]?.gathered ?? (await gather(file));
  if (at >= 0) remembered.splice(at, 1);
  if (gathered.failure === undefined && gathered.members.size <= mostMembersRemembered) {
    remembered.push({ key, gathered });
    if (remembered.length > mostRemembered) remembered.shift();
  }
  return gathered;
}

/**
 * Members by their names. The last of several with one name counts, as when an archive is unpacked. If an archive is
 * broken, the members before that point are still found.
 */
async function gather(
  file: RandomAccess,
  signal?: AbortSignal,
): Promise<{ readonly members: Members; readonly failure: unknown }> {
  const members: Members = new Map();
  try {
    for await (const member of tarMembers(file)) {
      signal?.throwIfAborted();
      noted(members, member);
    }
  } catch (failure) {
    return { members, failure };
  }
  return { members, failure: undefined };
}

/** Notes a member, and returns its name. A hard link means the file that came before it. */
function noted(members: Members, member: TarMember): string {
  const name = memberName(member.name);
  const linked = member.link?.kind === 'hard' ? members.get(memberName(member.link.target)) : undefined;
  members.delete(name);
  members.set(name, linked ?? member);
  return name;
}

/** A member, or the target of the symbolic link with this name. */
function followed(members: Members, name: string): Followed {
  const first = members.get(name)!;
  return { ...target(members, name, first), isFollowed: first.link?.kind === 'symbolic' };
}

function target(members: Members, name: string, first: TarMember): TarMember {
  let member: TarMember | undefined = first;
  let folder = posix.dirname(name);
  for (let links = 0; member?.link?.kind === 'symbolic' && links < linksInARow; links += 1) {
    const path: string = posix.join(folder, member.link.target);
    const isOutside: boolean = path.startsWith('../') || posix.isAbsolute(member.link.target);
    member = isOutside ? undefined : members.get(path);
    folder = posix.dirname(path);
  }
  if (member !== undefined && member.link === undefined) return member;
  return { ...first, problem: 'expected a file, found a link to no file in the shard' };
}
