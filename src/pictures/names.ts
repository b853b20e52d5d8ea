/** The names by which an index knows images: absolute paths of files, addresses in object storage, and members in shards. */

import { posix, resolve, sep } from 'node:path';
import { isS3 } from './s3/connection.ts';

/** Between a shard's path and a member's name. */
export const memberMark = '!/';

/** Splits an index's path into a file, and the member if it is a shard. */
export function splitPath(path: string): readonly [file: string, member: string | undefined] {
  const at = path.search(/(?<=\.tar)!\//i);
  return at < 0 ? [path, undefined] : [path.slice(0, at), path.slice(at + memberMark.length)];
}

/** The path by which an index knows a file or a member, whatever the current folder. */
export function indexPath(path: string): string {
  const [file, member] = splitPath(path);
  const known = isS3(file) ? file.replace(/^s3/i, 's3') : resolve(file).split(sep).join('/');
  return member === undefined ? known : `${known}${memberMark}${memberName(member)}`;
}

/** A member's name as a path inside its shard: `./a.png`, `/a.png` and `x/../a.png` are `a.png`. */
export function memberName(name: string): string {
  return posix.normalize(`/${name}`).slice(1);
}
