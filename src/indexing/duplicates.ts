/** Shows duplicates among hits once: a little work at a time, so that whatever else the process does goes on. */

import { setImmediate } from 'node:timers/promises';
import type { Hit } from '../store/index.ts';

/** A hit, and those after it that show the same. */
interface Group extends Hit {
  readonly duplicates: Hit[];
}

/** Milliseconds of work after which others have their turn. */
const slice = 8;

/**
 * Groups each hit with its later duplicates. Further hits never change the first ones.
 * @param threshold cosine similarity of duplicates; undefined: only the same contents
 * @throws the signal's reason
 */
export async function groupsOf(
  hits: readonly Hit[],
  threshold: number | undefined,
  vectors: ReadonlyMap<string, Float32Array>,
  signal?: AbortSignal,
): Promise<Group[]> {
  const groups: Group[] = [];
  const byHash = new Map<string, Group>();
  /** Of the groups, in their order. */
  const directions: (Float32Array | undefined)[] = [];
  const near = (hit: Hit): Group | undefined => {
    const own = vectors.get(hit.id);
    if (own === undefined || threshold === undefined) return undefined;
    return groups[directions.findIndex((other) => other !== undefined && cosine(own, other) >= threshold)];
  };
  let pause = performance.now() + slice;
  for (const hit of hits) {
    const group = byHash.get(hit.hash) ?? near(hit);
    if (group) group.duplicates.push(hit);
    else {
      const own = { ...hit, duplicates: [] };
      groups.push(own);
      directions.push(vectors.get(hit.id));
      byHash.set(hit.hash, own);
    }
    if (performance.now() < pause) continue;
    await setImmediate();
    signal?.throwIfAborted();
    pause = performance.now() + slice;
  }
  return groups;
}

/** Of vectors of length 1. Four sums at a time, because each addition waits for the one before it. */
function cosine(a: Float32Array, b: Float32Array): number {
  const whole = a.length - (a.length % 4);
  let [one, two, three, four] = [0, 0, 0, 0];
  for (let at = 0; at < whole; at += 4) {
    one += a[at]! * b[at]!;
    two += a[at + 1]! * b[at + 1]!;
    three += a[at + 2]! * b[at + 2]!;
    four += a[at + 3]! * b[at + 3]!;
  }
  for (let at = whole; at < a.length; at += 1) one += a[at]! * b[at]!;
  return one + two + (three + four);
}
