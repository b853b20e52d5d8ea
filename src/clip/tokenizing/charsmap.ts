/** Normalizes texts by the table that SentencePiece compiles into a model: a double-array trie of characters and their replacements. */

import { LincirError } from '../../core/index.ts';

/** Which part of a text is looked up, and which of several entries counts. */
export type CharsmapWay =
  /** As in Rust's `tokenizers`: graphemes below six bytes, else characters; the shortest entry at their beginning. */
  | 'graphemes'
  /** As in SentencePiece itself: the longest entry at each position. */
  | 'longest';

/** The largest table of published models has 400 kB. */
const byteLimit = 2 ** 24;

/** The longest of SentencePiece's own tables has 33 bytes. */
const longestReplacement = 256;

const utf8 = new TextEncoder();
const decoder = new TextDecoder();
const ascii = /^[\x20-\x7e]*$/;

/**
 * Reads the table.
 * @param base64 the number of bytes of the trie, the trie, and replacements that each end with a zero byte
 * @param subject names the table in messages
 * @throws LincirError 'bad-file' for another layout
 */
export function readCharsmap(base64: string, way: CharsmapWay, subject: string): (text: string) => string {
  const bytes = bytesOf(base64, subject);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const trieSize = bytes.length < 4 ? -1 : view.getUint32(0, true);
  if (trieSize % 4 !== 0 || trieSize <= 0 || 4 + trieSize > bytes.length) {
    throw refused(subject, `${bytes.length} bytes, ${trieSize} of them for the trie`);
  }
  const units = Uint32Array.from({ length: trieSize / 4 }, (_, at) => view.getUint32(4 + 4 * at, true));
  const replacements = bytes.subarray(4 + trieSize);
  const known = new Map<number, string>();
  const replacementAt = (begin: number): string => {
    const found = known.get(begin);
    if (found !== undefined) return found;
    const end = replacements.indexOf(0, begin);
    const length = (end < 0 ? replacements.length : end) - begin;
    if (length > longestReplacement) throw refused(subject, `a replacement of ${length} bytes`);
    const made = decoder.decode(replacements.subarray(begin, begin + length));
    known.set(begin, made);
    return made;
  };
  const hasAscii = Array.from({ length: 0x5f }, (_, at) => at + 0x20).some(
    (code) => lookUp(units, [code], 0, false) !== undefined,
  );
  const normalize = way === 'longest' ? byLongest : byGraphemes;
  return (text) => (!hasAscii && ascii.test(text) ? text : normalize(text, units, replacementAt));
}

type Replacements = (begin: number) => string;

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

function byGraphemes(text: string, units: Uint32Array, replacementAt: Replacements): string {
  let normalized = '';
  const replaced = (bytes: Uint8Array): string | undefined => {
    const found = lookUp(units, bytes, 0, false);
    return found && replacementAt(found.value);
  };
  for (const { segment } of graphemes.segment(text)) {
    const bytes = utf8.encode(segment);
    const whole = bytes.length < 6 ? replaced(bytes) : undefined;
    if (whole !== undefined) normalized += whole;
    else for (const character of segment) normalized += replaced(utf8.encode(character)) ?? character;
  }
  return normalized;
}

function byLongest(text: string, units: Uint32Array, replacementAt: Replacements): string {
  const bytes = utf8.encode(text);
  let normalized = '';
  let kept = 0; // the first byte that is not yet in `normalized`
  for (let at = 0; at < bytes.length; ) {
    const found = lookUp(units, bytes, at, true);
    if (found) {
      normalized += decoder.decode(bytes.subarray(kept, at)) + replacementAt(found.value);
      at += found.length;
      kept = at;
    } else {
      do at += 1;
      while ((bytes[at]! & 0xc0) === 0x80);
    }
  }
  return normalized + decoder.decode(bytes.subarray(kept));
}

/** The shortest or longest entry that the bytes from `begin` on begin with. See "darts-clone" for the units' bits. */
function lookUp(
  units: Uint32Array,
  bytes: ArrayLike<number>,
  begin: number,
  longest: boolean,
): { readonly value: number; readonly length: number } | undefined {
  let found: { value: number; length: number } | undefined;
  let place = offsetOf(units[0]!);
  for (let at = begin; at < bytes.length; at += 1) {
    const byte = bytes[at]!;
    place ^= byte;
    const unit = units[place];
    // A unit outside of the trie ends the search, too: the file may be damaged.
    if (byte === 0 || unit === undefined || (unit & 0x800000ff) >>> 0 !== byte) break;
    place ^= offsetOf(unit);
    if ((unit & 0x100) !== 0) {
      found = { value: (units[place] ?? 0) & 0x7fffffff, length: at + 1 - begin };
      if (!longest) break;
    }
  }
  return found;
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}

function bytesOf(base64: string, subject: string): Uint8Array {
  if (base64.length > (byteLimit * 4) / 3) throw refused(subject, `${base64.length} characters`);
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    throw refused(subject, 'another text');
  }
}

function refused(subject: string, found: string): LincirError {
  const expected = `the charsmap of a SentencePiece model in base64, of at most ${byteLimit} bytes`;
  return new LincirError('bad-file', { subject, expected, found, todo: 'get the file again' });
}
