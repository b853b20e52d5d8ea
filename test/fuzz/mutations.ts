/** Changes to files, drawn by a seed: the same seed, reader and number give the same file. */

import type { Target } from './target.ts';

/** Number `index` of a reader's mutated files. */
export function mutated(target: Target, name: string, seed: number, index: number): Uint8Array {
  const random = randomNumbers(`${name} ${seed} ${index}`);
  const { seeds, tokens, repair } = target;
  const edits = random(2) === 0 ? overwrites : insertions;
  let bytes = seeds[random(seeds.length)]!;
  for (let left = random(2) === 0 ? 1 : 1 + random(4); left > 0; left -= 1) {
    const edit = random(512) === 0 ? amplified : edits[random(edits.length)]!;
    bytes = edit(bytes, choosePlace(bytes, tokens, random), random, tokens);
  }
  return repair !== undefined && random(4) > 0 ? repair(bytes) : bytes;
}

/** A whole number from 0 on, below a limit. */
type Random = (below: number) => number;

type Edit = (bytes: Uint8Array, at: number, random: Random, tokens: readonly string[]) => Uint8Array;

/** Edits that leave every other byte where it is. */
const overwrites: readonly Edit[] = [
  // Flip a bit.
  (bytes, at, random) => replace(bytes, at, 1, [(bytes[at] ?? 0) ^ (1 << random(8))]),
  // Write a token over what stands there.
  (bytes, at, random, tokens) => {
    const token = pickToken(tokens, random);
    return replace(bytes, at, token.length, token);
  },
  // Write a notable number, little-endian or big-endian.
  (bytes, at, random) => {
    const width = 2 ** random(4);
    const number = new Uint8Array(BigUint64Array.of(notableNumber(bytes.length, random)).buffer).slice(
      0,
      width,
    );
    return replace(bytes, at, width, random(2) === 0 ? number : number.reverse());
  },
  // Write what stands elsewhere.
  (bytes, at, random) => {
    const from = random(bytes.length);
    const length = random(16);
    return replace(bytes, at, length, bytes.subarray(from, from + length));
  },
];

/** Edits that move what follows. */
const insertions: readonly Edit[] = [
  // Cut the file short, though not often: what is left says little about the rest.
  (bytes, at, random) => (random(8) === 0 ? bytes.subarray(0, at) : bytes),
  // Take bytes away.
  (bytes, at, random) => replace(bytes, at, random(32), []),
  // Put a token in.
  (bytes, at, random, tokens) => replace(bytes, at, 0, pickToken(tokens, random)),
  // Repeat bytes, or splice others in.
  (bytes, at, random) => replace(bytes, at, 0, bytes.subarray(at, at + random(32))),
  (bytes, at, random) => {
    const from = random(bytes.length);
    return replace(bytes, at, 0, bytes.subarray(from, from + random(32)));
  },
  // Change a number in digits.
  (bytes, at, random) => {
    const text = Buffer.from(bytes).toString('latin1');
    const number = String(notableNumber(bytes.length, random));
    return Buffer.from(text.slice(0, at) + text.slice(at).replace(/\d+/, number), 'latin1');
  },
];

/** Repeats a few bytes some thousands of times: nesting, long names, and patterns that are not linear. */
const amplified: Edit = (bytes, at, random, tokens) => {
  const piece = random(2) === 0 ? pickToken(tokens, random) : bytes.subarray(at, at + 1 + random(24));
  const times = Math.min(2 ** (8 + random(11)), Math.floor(2 ** 20 / Math.max(1, piece.length)));
  return replace(bytes, at, 0, Buffer.concat(Array(times).fill(piece)));
};

function replace(
  bytes: Uint8Array,
  at: number,
  length: number,
  by: Uint8Array | readonly number[],
): Uint8Array {
  return Buffer.concat([bytes.subarray(0, at), Uint8Array.from(by), bytes.subarray(at + length)]);
}

function pickToken(tokens: readonly string[], random: Random): Uint8Array {
  return Buffer.from(tokens[random(tokens.length)] ?? '', 'latin1');
}

/** Half of the places are near a token: there the structure of the file lies. */
function choosePlace(bytes: Uint8Array, tokens: readonly string[], random: Random): number {
  const at = random(bytes.length);
  const next = random(2) === 0 ? Buffer.from(bytes).indexOf(pickToken(tokens, random), at) : -1;
  return next < 0 ? at : Math.min(next + random(48), bytes.length);
}

function notableNumber(size: number, random: Random): bigint {
  const bases = [0, 31, 64, 255, size, 2 ** 16, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 60, 2 ** 63];
  const base = bases[random(bases.length)] ?? 0;
  return BigInt.asUintN(64, BigInt(base) + BigInt(random(5) - 2));
}

/** Mulberry32, begun at the FNV-1a hash of a text. */
function randomNumbers(text: string): Random {
  let state = 0x811c9dc5;
  for (const byte of Buffer.from(text)) state = Math.imul(state ^ byte, 0x01000193);
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
