/** Turns rows of tokens into the text tower's inputs: checks them, sorts them by length, and cuts them into batches with little waste. */

import { LincirError } from '../core/index.ts';
import type { RunTensor } from '../onnx/index.ts';
import { isCausal, type TextConfig } from './config.ts';
import type { TextInputs } from './text-inputs.ts';

/** A text's token ids, with start and end of text, and vectors that replace some of them. */
export interface TokenRow {
  readonly ids: readonly number[];
  readonly injected?: readonly Injection[];
}

/** A vector of the text tower's width, such as phi's, and the position whose token embedding it replaces. */
export interface Injection {
  readonly position: number;
  readonly vector: Float32Array;
}

/** Rows of similar length, to be computed together. */
interface TokenBatch {
  /** Which rows these are. */
  readonly members: readonly number[];
  readonly feeds: Readonly<Record<keyof TextInputs, RunTensor>>;
}

/** Rows that must not depend on others are padded to a multiple of so many positions. */
const stride = 4;

/**
 * Cost of a batch besides its positions, as a part of the largest batch. On a CPU, ViT-B/32 took as much processor time for it
 * as for 51 positions forward, and for 26 forward and backward, out of 1,024.
 */
const batchCost = 1 / 20;

/**
 * Cuts rows into batches of at most `budget` positions, with padding. A batch ends with its longest end of text if what follows
 * changes nothing there. Otherwise all rows have all positions of the tower.
 * @param beginning tokens with which all rows begin. A causal tower gets them from `textPrefix`, so they are left out here
 * @throws LincirError 'bad-argument' for a row that the tower cannot take, by its number from 1.
 */
export function tokenBatches(
  rows: readonly TokenRow[],
  config: TextConfig,
  budget: number,
  beginning: readonly number[] = [],
): TokenBatch[] {
  const prefix = isCausal(config) ? beginning : [];
  const ends = rows.map((row, index) => endOf(row, `row ${index + 1}`, config, prefix));
  const longestFirst = [...rows.keys()].sort((a, b) => ends[b]! - ends[a]!);
  const lengths = longestFirst.map((index) => positionsOf(config, ends[index]! + 1 - prefix.length));
  return cuts(lengths, budget).map(([begin, end]) => {
    const members = longestFirst.slice(begin, end);
    return {
      members,
      feeds: feedsOf(
        members.map((index) => rows[index]!),
        members.map((index) => ends[index]!),
        config,
        prefix.length,
      ),
    };
  });
}

/**
 * Batches in which no row depends on the others, to the bit: each is padded to a length of its own, the next multiple of
 * `stride`, and only rows of one length are together. Otherwise padding would change the order in which attention's weights
 * are added, and so the last bits. (Measured on x64, with one thread and two.)
 * @param beginning as in `tokenBatches`
 */
export function independentBatches(
  rows: readonly TokenRow[],
  config: TextConfig,
  budget: number,
  beginning: readonly number[] = [],
): TokenBatch[] {
  const prefix = isCausal(config) ? beginning : [];
  const ends = rows.map((row, index) => endOf(row, `row ${index + 1}`, config, prefix));
  const skipped = prefix.length;
  const lengthOf = (end: number) =>
    positionsOf(
      config,
      Math.min(config.positions - skipped, Math.ceil((end + 1 - skipped) / stride) * stride),
    );
  const groups = Map.groupBy(rows.keys(), (index) => lengthOf(ends[index]!));
  return [...groups].flatMap(([length, group]) => {
    const size = Math.max(1, Math.floor(budget / length));
    return Array.from({ length: Math.ceil(group.length / size) }, (_, at) => {
      const members = group.slice(at * size, (at + 1) * size);
      const of = <Item>(all: readonly Item[]) => members.map((index) => all[index]!);
      return { members, feeds: feedsOf(of(rows), of(ends), config, skipped, length) };
    });
  });
}

/**
 * Where to cut rows, longest first, at the least total cost: the positions of a batch, with padding, and `batchCost` for
 * reading the weights. A row that is longer than the budget is its own batch.
 * @returns [begin, end) of every batch
 */
function cuts(lengths: readonly number[], budget: number): [number, number][] {
  /** For the rows from each on: the least cost, and the end of their first batch. */
  const costs = new Float64Array(lengths.length + 1);
  const firstEnds = new Int32Array(lengths.length + 1);
  for (let begin = lengths.length - 1; begin >= 0; begin -= 1) {
    const most = Math.max(1, Math.floor(budget / lengths[begin]!));
    costs[begin] = Number.POSITIVE_INFINITY;
    for (let end = begin + 1; end <= Math.min(lengths.length, begin + most); end += 1) {
      const cost = (end - begin) * lengths[begin]! + budget * batchCost + costs[end]!;
      if (cost >= costs[begin]!) continue;
      costs[begin] = cost;
      firstEnds[begin] = end;
    }
  }
  const found: [number, number][] = [];
  for (let begin = 0; begin < lengths.length; begin = firstEnds[begin]!)
    found.push([begin, firstEnds[begin]!]);
  return found;
}

/** The positions that a row takes of which the first ones matter. */
function positionsOf({ attention, positions }: TextConfig, needed: number): number {
  return attention === 'everywhere' ? positions : needed;
}

function feedsOf(
  rows: readonly TokenRow[],
  ends: readonly number[],
  config: TextConfig,
  skipped: number,
  positions = positionsOf(config, Math.max(...ends) + 1 - skipped),
): TokenBatch['feeds'] {
  const { width, padding = 0, pooling } = config;
  const ids = new BigInt64Array(rows.length * positions).fill(BigInt(padding));
  rows.forEach((row, index) => {
    row.ids.slice(skipped, ends[index]! + 1).forEach((id, at) => {
      ids[index * positions + at] = BigInt(id);
    });
  });
  const placements = rows.flatMap((row, index) =>
    (row.injected ?? []).map(({ position }) => [index, position - skipped]),
  );
  const injected = new Float32Array(placements.length * width);
  rows
    .flatMap((row) => row.injected ?? [])
    .forEach(({ vector }, at) => {
      injected.set(vector, at * width);
    });
  return {
    ids: { shape: [rows.length, positions], data: ids },
    ends: pairs(ends.map((end, index) => [index, pooling === 'last' ? positions - 1 : end - skipped])),
    placements: pairs(placements),
    injected: { shape: [placements.length, width], data: injected },
  };
}

function pairs(values: readonly (readonly number[])[]): RunTensor {
  return { shape: [values.length, 2], data: BigInt64Array.from(values.flat(), BigInt) };
}

/** The position of a row's end of text. */
function endOf(
  { ids, injected = [] }: TokenRow,
  subject: string,
  config: TextConfig,
  prefix: readonly number[],
): number {
  const { vocabulary, positions, endOfText, width } = config;
  const refuse = (expected: string, found: string): LincirError =>
    new LincirError('bad-argument', { subject, expected, found });
  for (const id of ids) {
    if (!(Number.isInteger(id) && id >= 0 && id < vocabulary))
      throw refuse(`ids from 0 to ${vocabulary - 1}`, `${id}`);
  }
  if (prefix.some((id, position) => ids[position] !== id)) {
    throw refuse(`ids that begin with ${prefix.join(', ')}`, ids.slice(0, prefix.length).join(', '));
  }
  const mark = endOfText === 'largest' ? ids.reduce((a, b) => Math.max(a, b), 0) : endOfText;
  const end = mark === 'last' ? ids.length - 1 : ids.indexOf(mark, prefix.length);
  if (end < 0) throw refuse(`an end of text, id ${endOfText}`, `${ids.length} ids without it`);
  if (end >= positions)
    throw refuse(`an end of text among the first ${positions} ids`, `it at position ${end}`);
  for (const { position, vector } of injected) {
    if (!(Number.isInteger(position) && position >= prefix.length && position < end)) {
      throw refuse(
        `injections from ${prefix.length} to before the end of text at ${end}`,
        `position ${position}`,
      );
    }
    if (vector.length !== width) throw refuse(`vectors of ${width} values`, `${vector.length}`);
  }
  return end;
}
