/** SentencePiece's unigram model: the pieces of a word with the best sum of scores. */

import { LincirError, quoted } from '../../core/index.ts';
import type { Vocabulary } from './description.ts';

/** Turns what a pre-tokenizer made of a text into ids. */
export type WordModel = (word: string) => readonly number[];

export interface UnigramDescription {
  /** Pieces and their scores, by id. */
  readonly vocab: readonly (readonly [piece: string, score: number])[];
  readonly unk_id: number | null;
  readonly byte_fallback: boolean;
}

/** Longer pieces would make long words slow. SentencePiece's own limit is 16 characters by default, and 512 at most. */
const longestPiece = 512;
/** What an unknown character costs beyond the worst piece. */
const unknownPenalty = 10;

const utf8 = new TextEncoder();

/**
 * Makes the model.
 * @param isSingle adds scores in float32, as SentencePiece itself does, where Rust's `tokenizers` has float64
 * @throws LincirError 'bad-file' naming `subject`
 */
export function unigramModel(
  { vocab, unk_id, byte_fallback }: UnigramDescription,
  ids: Vocabulary,
  isSingle: boolean,
  subject: string,
): WordModel {
  const refuse = (expected: string, found: string) =>
    new LincirError('bad-file', { subject, expected, found, todo: 'get the file again' });
  if (unk_id === null || unk_id >= vocab.length) {
    throw refuse('the id of unknown characters among the pieces', `${unk_id}`);
  }
  const scores = new Float64Array(vocab.length);
  /** The longest piece by first character, in code units: no other needs to be looked for. */
  const reach = new Map<string, number>();
  let worst = Infinity;
  for (const [id, [piece, score]] of vocab.entries()) {
    if (piece.length > longestPiece) {
      throw refuse(`pieces of at most ${longestPiece} characters`, quoted(piece, 100));
    }
    scores[id] = score;
    worst = Math.min(worst, score);
    const first = firstOf(piece, 0);
    reach.set(first, Math.max(reach.get(first) ?? 0, piece.length));
  }
  const bytes = byte_fallback ? byteIds(ids) : undefined;
  const round = isSingle ? Math.fround : (value: number) => value;
  const unknownScore = worst - unknownPenalty;

  return (word) => {
    const size = word.length;
    const best = new Float64Array(size + 1);
    const from = new Int32Array(size + 1).fill(-1);
    const idAt = new Int32Array(size + 1);
    const offer = (begin: number, end: number, id: number, score: number) => {
      const total = round(best[begin]! + score);
      if (from[end]! >= 0 && total <= best[end]!) return;
      best[end] = total;
      from[end] = begin;
      idAt[end] = id;
    };
    for (let begin = 0; begin < size; ) {
      const first = firstOf(word, begin);
      const last = Math.min(size, begin + (reach.get(first) ?? 0));
      let isKnown = false;
      for (let end = begin + first.length; end <= last; end += 1) {
        const id = ids.get(word.slice(begin, end));
        if (id === undefined) continue;
        offer(begin, end, id, scores[id]!);
        isKnown ||= end === begin + first.length;
      }
      if (!isKnown) offer(begin, begin + first.length, unk_id, unknownScore);
      begin += first.length;
    }
    // Unknown characters side by side are one piece.
    const pieces: number[][] = [];
    for (let end = size; end > 0; ) {
      let begin = from[end]!;
      if (idAt[end] !== unk_id) pieces.push([idAt[end]!]);
      else {
        while (begin > 0 && idAt[begin] === unk_id) begin = from[begin]!;
        const unknown = word.slice(begin, end);
        const known = ids.get(unknown);
        pieces.push(known !== undefined ? [known] : (bytes?.(unknown) ?? [unk_id]));
      }
      end = begin;
    }
    return pieces.reverse().flat();
  };
}

/** The ids of a text's bytes, in vocabularies that have tokens for them: `<0x0A>`. */
export function byteIds(ids: Vocabulary): ((text: string) => number[] | undefined) | undefined {
  const byByte = Array.from({ length: 256 }, (_, byte) =>
    ids.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`),
  );
  return (text) => {
    const found = Array.from(utf8.encode(text), (byte) => byByte[byte]);
    return found.every((id) => id !== undefined) ? found : undefined;
  };
}

function firstOf(text: string, at: number): string {
  return String.fromCodePoint(text.codePointAt(at) ?? 0);
}
