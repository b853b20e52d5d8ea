/** One shard of work that many workers share: which sources and files fall to it. Workers agree without talking. */

import { hash } from 'node:crypto';

/** The share of one worker: number 1 to count. */
export interface WorkShard {
  readonly number: number;
  readonly count: number;
}

/** So many hexadecimal digits make an exact number. */
const digits = 12;

/** Whether something falls to this shard, by the hash of its name. */
export function isOfShard(name: string, { number, count }: WorkShard): boolean {
  return Number.parseInt(hash('sha256', name).slice(0, digits), 16) % count === number - 1;
}

/** The file of a shard among others: `photos-00003-of-00008.npy` of `photos.npy`. */
export function shardFile(file: string, { number, count }: WorkShard): string {
  const five = (value: number) => `${value}`.padStart(5, '0');
  return file.replace(/(\.[^./\\]*)?$/, `-${five(number)}-of-${five(count)}$1`);
}

export function shardName({ number, count }: WorkShard): string {
  return `${number}/${count}`;
}
