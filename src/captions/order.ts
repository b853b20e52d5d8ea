/** The order of captions. Every epoch has its own, which the seed alone decides. Any place can be computed without a list. */
// Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002: a Feistel network, walked until inside.

import { bits } from '../core/index.ts';

/** A source of captions: how many it has, and how often each comes in an epoch. */
export interface WeightedSource {
  readonly captions: number;
  readonly weight: number;
}

/** A caption, by the number of its source and its number in the source, both from 0. */
export interface CaptionPlace {
  readonly source: number;
  readonly index: number;
}

/** The endless sequence of captions of a run. */
interface CaptionOrder {
  /** Captions of one epoch: the sum over sources of captions times weight. */
  readonly epochLength: number;
  /** The captions from `first` on, counted from 0 over all epochs. */
  places(first: number, count: number): CaptionPlace[];
}

const rounds = 6;

/**
 * The order of an epoch is one permutation of all its captions. With a weight of 2, a source's captions come twice in
 * every epoch. With 0.5, half of them come in one epoch and the other half in the next. Takes no memory.
 */
export function captionOrder(sources: readonly WeightedSource[], seed: number): CaptionOrder {
  const shares = sources.map(({ captions, weight }) => Math.max(1, Math.round(captions * weight)));
  const epochLength = shares.reduce((sum, share) => sum + share, 0);
  /** Recent permutations: those of this epoch and of its sources' passes. */
  const known = new Map<string, (index: number) => number>();
  const permuted = (stage: number, time: number, size: number, index: number): number => {
    const key = `${stage} ${time}`;
    let permute = known.get(key);
    if (permute === undefined) {
      if (known.size > 4 * (sources.length + 1)) known.clear();
      permute = permutation(size, seed, stage, time);
      known.set(key, permute);
    }
    return permute(index);
  };
  const placeAt = (draw: number): CaptionPlace => {
    const epoch = Math.floor(draw / epochLength);
    let within = permuted(0, epoch, epochLength, draw % epochLength);
    let source = 0;
    while (within >= shares[source]!) {
      within -= shares[source]!;
      source += 1;
    }
    const { captions } = sources[source]!;
    const slot = epoch * shares[source]! + within; // among everything that this source gives in all epochs
    const pass = Math.floor(slot / captions);
    return { source, index: permuted(1 + source, pass, captions, slot % captions) };
  };
  return {
    epochLength,
    places: (first, count) => Array.from({ length: count }, (_, at) => placeAt(first + at)),
  };
}

/** A permutation of the numbers below `size`, different for every stage and time. */
function permutation(size: number, seed: number, stage: number, time: number): (index: number) => number {
  const half = Math.max(1, Math.ceil(Math.log2(size) / 2)); // bits of each side of the network
  const side = 2 ** half;
  const next = bits({ seed, purpose: 'order', moment: time, row: stage });
  const keys = Array.from({ length: 2 * rounds }, next);
  const encrypt = (index: number): number => {
    let [left, right] = [Math.floor(index / side), index % side];
    for (let round = 0; round < rounds; round += 1) {
      [left, right] = [
        right,
        left ^ (scrambled(right, keys[2 * round]!, keys[2 * round + 1]!) >>> (32 - half)),
      ];
    }
    return (left >>> 0) * side + (right >>> 0);
  };
  return (index) => {
    let found = encrypt(index);
    while (found >= size) found = encrypt(found);
    return found;
  };
}

/** A keyed hash of 32 bits: MurmurHash3's finalizer (Appleby), in which every bit affects every other. */
function scrambled(value: number, key: number, other: number): number {
  let hash = value ^ key;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13) ^ other, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
