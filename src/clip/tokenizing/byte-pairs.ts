/** Byte-pair encoding, as CLIP, GPT-2 and Gemma have it: the pairs of a word are merged, the earliest in the list first. */

import { LincirError, quoted } from '../../core/index.ts';
import type { Vocabulary } from './description.ts';
import { byteIds, type WordModel } from './unigram.ts';

export interface BytePairDescription {
  readonly merges: readonly (string | readonly [string, string])[];
  readonly unk_token: string | null;
  readonly fuse_unk: boolean;
  readonly byte_fallback: boolean;
  readonly ignore_merges: boolean;
  /** Belongs to the last character of a word. */
  readonly end_of_word_suffix?: string | null | undefined;
}

/** Ids are below this, so that two make one number. */
const idLimit = 2 ** 26;

/** @throws LincirError 'bad-file' naming `subject` for merges of tokens that the vocabulary lacks */
export function bytePairModel(description: BytePairDescription, ids: Vocabulary, subject: string): WordModel {
  const { unk_token, fuse_unk, byte_fallback, ignore_merges } = description;
  const suffix = description.end_of_word_suffix ?? '';
  const merges = readMerges(description.merges, ids, subject);
  const unknown = unk_token === null ? undefined : ids.get(unk_token);
  const bytesOf = byte_fallback ? byteIds(ids) : undefined;

  const symbolsOf = (word: string): number[] => {
    const symbols: number[] = [];
    let isUnknown = false; // whether the last character was
    const characters = [...word];
    if (characters.length > 0) characters.push(characters.pop() + suffix);
    for (const character of characters) {
      const id = ids.get(character);
      const known = id === undefined ? bytesOf?.(character) : [id];
      if (known) symbols.push(...known);
      else if (unknown !== undefined && !(fuse_unk && isUnknown)) symbols.push(unknown);
      isUnknown = !known;
    }
    return symbols;
  };
  return (word) => {
    const whole = ignore_merges ? ids.get(word) : undefined;
    return whole === undefined ? merged(symbolsOf(word), merges) : [whole];
  };
}

interface Merges {
  /** Ranks of pairs: of `left * idLimit + right`. */
  readonly ranks: ReadonlyMap<number, number>;
  /** What the pair of a rank becomes. */
  readonly results: Uint32Array;
}

function readMerges(list: BytePairDescription['merges'], ids: Vocabulary, subject: string): Merges {
  const ranks = new Map<number, number>();
  const results = new Uint32Array(list.length);
  const idOf = (token: string): number => {
    const id = ids.get(token);
    if (id !== undefined && id < idLimit) return id;
    const expected = `merges of tokens in the vocabulary, with ids below ${idLimit}`;
    throw new LincirError('bad-file', {
      subject,
      expected,
      found: `${quoted(token, 100)}: ${id ?? 'not in it'}`,
    });
  };
  for (const [rank, merge] of list.entries()) {
    const space = typeof merge === 'string' ? merge.indexOf(' ', 1) : 0;
    const [left, right] = typeof merge === 'string' ? [merge.slice(0, space), merge.slice(space + 1)] : merge;
    ranks.set(idOf(left) * idLimit + idOf(right), rank);
    results[rank] = idOf(left + right);
  }
  return { ranks, results };
}

/** Merges pairs by rank and, of equal rank, from left to right. */
function merged(symbols: number[], { ranks, results }: Merges): number[] {
  const size = symbols.length;
  const next = Int32Array.from({ length: size }, (_, at) => at + 1);
  const previous = Int32Array.from({ length: size }, (_, at) => at - 1);
  const isGone = new Uint8Array(size);
  const queue = new Queue();
  const offer = (at: number): void => {
    const right = next[at] ?? size;
    if (right >= size) return;
    const rank = ranks.get(symbols[at]! * idLimit + symbols[right]!);
    if (rank !== undefined) queue.push(rank * 2 ** 26 + at);
  };
  for (let at = 0; at < size; at += 1) offer(at);
  for (let top = queue.pop(); top !== undefined; top = queue.pop()) {
    const rank = Math.floor(top / 2 ** 26);
    const at = top % 2 ** 26;
    const right = next[at]!;
    // The pair may have changed since.
    if (isGone[at] || right >= size) continue;
    const current = ranks.get(symbols[at]! * idLimit + symbols[right]!);
    if (current === undefined || results[current] !== results[rank]) continue;
    symbols[at] = results[rank]!;
    isGone[right] = 1;
    next[at] = next[right]!;
    if (next[at]! < size) previous[next[at]!] = at;
    offer(previous[at]!);
    offer(at);
  }
  return symbols.filter((_, at) => !isGone[at]);
}

/** A heap of numbers, the smallest first. */
class Queue {
  readonly #heap: number[] = [];

  push(value: number): void {
    const heap = this.#heap;
    let at = heap.push(value) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]! <= value) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = value;
  }

  pop(): number | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child += 1;
      if (heap[child]! >= last) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}
