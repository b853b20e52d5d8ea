/** Rows, which the reader of every format gives, and the usable captions among them. */

import { LincirError, listed, quoted } from '../core/index.ts';

/** A caption as in the file, and its line or row, from 1. */
export interface Row {
  readonly caption: string | null;
  readonly at: number;
}

/** Called for a row without a usable caption: where it is (`captions.csv: line 12`), and why. */
export type OnLeftOut = (where: string, reason: string) => void;

interface UsableOptions {
  /** The file's name in messages. */
  readonly name: string;
  readonly unit: 'line' | 'row';
  readonly onLeftOut: OnLeftOut;
  readonly signal?: AbortSignal;
}

/** Limit of a caption in characters. CLIP reads 77 tokens. */
const captionLimit = 65_536;

/**
 * The captions in a file's rows, unchanged. A row goes to `onLeftOut` instead if its caption is null, empty, white space,
 * over 65,536 characters, or has half a surrogate pair, which UTF-8 cannot encode.
 * @throws LincirError 'bad-file' when there is no row at all, the signal's reason, and what reading throws.
 */
export async function* usableCaptions(
  rows: AsyncIterable<readonly Row[]>,
  { name, unit, onLeftOut, signal }: UsableOptions,
): AsyncGenerator<readonly string[], void, void> {
  let isEmpty = true;
  signal?.throwIfAborted();
  for await (const batch of rows) {
    signal?.throwIfAborted();
    const captions: string[] = [];
    for (const { caption, at } of batch) {
      const reason = reasonToLeaveOut(caption);
      if (reason === undefined) captions.push(caption!);
      else onLeftOut(`${name}: ${unit} ${at}`, reason);
    }
    if (captions.length > 0) yield captions;
    isEmpty &&= batch.length === 0;
  }
  if (isEmpty) throw emptyFile(name);
}

export function emptyFile(subject: string): LincirError {
  return new LincirError('bad-file', {
    subject,
    expected: 'at least one caption',
    found: 'an empty file',
    todo: 'check how it was made, or leave it out',
  });
}

export function noSuchColumn(
  subject: string,
  wanted: readonly string[],
  names: readonly string[],
  todo = 'choose one of these',
): LincirError {
  return new LincirError('bad-file', {
    subject,
    expected: `the column ${wanted.map((name) => quoted(name)).join(' or ')}`,
    found: `the columns ${listed(names, 'none')}`,
    todo,
  });
}

function reasonToLeaveOut(caption: string | null): string | undefined {
  if (caption === null) return 'it is null';
  if (!/\S/.test(caption)) return caption === '' ? 'it is empty' : 'it is only white space';
  if (caption.length > captionLimit) return `it has ${caption.length} characters, over ${captionLimit}`;
  return caption.isWellFormed() ? undefined : 'it has half a surrogate pair, which is not a character';
}
