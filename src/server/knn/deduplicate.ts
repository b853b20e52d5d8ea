/** Finds near duplicates among results, as clip-retrieval does: connected components of similar images. */

import { setImmediate } from 'node:timers/promises';
import { LincirError } from '../../core/index.ts';
import type { RequestScope } from '../../service/index.ts';

/** Cosine similarity from which images count as near duplicates. */
const threshold = 0.94;
/** Milliseconds of work after which other requests have their turn. */
const slice = 8;
/** Squared distance of such images' vectors. */
const farthest = 2 - 2 * threshold;

/** One at a time: slices of several would follow each other without a pause. */
let turn: Promise<unknown> = Promise.resolve();

/**
 * The first of each group of near duplicates, in order. A group also has what is similar to any of its members.
 * @param vectors of length 1, one an item
 * @throws LincirError 'busy' at the deadline, and the signal's reason
 */
export async function firstOfDuplicates<Item>(
  items: readonly Item[],
  vectors: readonly (readonly number[])[],
  scope: RequestScope,
): Promise<Item[]> {
  const groups = turn.then(() => groupsOf(vectors, scope));
  turn = groups.catch(() => {});
  const firsts = await groups;
  return items.filter((_, at) => firsts[at] === at);
}

/** For each vector, the first of its group. */
async function groupsOf(
  vectors: readonly (readonly number[])[],
  { signal, deadline }: RequestScope,
): Promise<Int32Array> {
  const size = 4 * Math.ceil((vectors[0]?.length ?? 0) / 4);
  const rows = asRows(vectors, size);
  const parents = Int32Array.from(vectors, (_, at) => at);
  const rootOf = (at: number): number => {
    let root = at;
    while (parents[root] !== root) root = parents[root]!;
    parents[at] = root;
    return root;
  };
  let pause = performance.now() + slice;
  for (let one = 0; one < vectors.length; one += 1) {
    for (let other = one + 1; other < vectors.length; other += 1) {
      if (!areNear(rows, one * size, other * size, size)) continue;
      const [first, second] = [rootOf(one), rootOf(other)];
      parents[Math.max(first, second)] = Math.min(first, second);
    }
    if (performance.now() < pause) continue;
    await setImmediate();
    signal.throwIfAborted();
    if (performance.now() > deadline) throw tooLate();
    pause = performance.now() + slice;
  }
  return parents.map((_, at) => rootOf(at));
}

/**
 * Whether the squared distance, 2 - 2 cos, stays small. Most pairs are known to be far apart after a few values. Four sums
 * at a time, because each addition waits for the one before it.
 */
function areNear(rows: Float32Array, one: number, other: number, size: number): boolean {
  let distance = 0;
  for (let at = 0; at < size; at += 4) {
    const a = rows[one + at]! - rows[other + at]!;
    const b = rows[one + at + 1]! - rows[other + at + 1]!;
    const c = rows[one + at + 2]! - rows[other + at + 2]!;
    const d = rows[one + at + 3]! - rows[other + at + 3]!;
    distance += a * a + b * b + (c * c + d * d);
    if (distance > farthest) return false;
  }
  return true;
}

/** The vectors as [vectors, size], those values first that differ most, and zeros last. */
function asRows(vectors: readonly (readonly number[])[], size: number): Float32Array {
  const order = [...(vectors[0]?.keys() ?? [])];
  const spreads = order.map((at) => {
    let [sum, squares] = [0, 0];
    for (const vector of vectors) {
      sum += vector[at]!;
      squares += vector[at]! * vector[at]!;
    }
    return squares / vectors.length - (sum / vectors.length) ** 2;
  });
  order.sort((a, b) => spreads[b]! - spreads[a]!);
  const rows = new Float32Array(vectors.length * size);
  for (const [row, vector] of vectors.entries()) {
    for (const [at, from] of order.entries()) rows[row * size + at] = vector[from]!;
  }
  return rows;
}

function tooLate(): LincirError {
  return new LincirError('busy', {
    subject: 'the server',
    expected: 'time to compare the results with each other',
    found: 'none left',
    todo: 'ask for fewer results, or without deduplicate',
    retryAfter: 1,
  });
}
