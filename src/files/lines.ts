/** Reads lines of UTF-8 text from a file or a stream of any size. */

import { createReadStream } from 'node:fs';
import { LincirError } from '../core/index.ts';
import { pathOnDisk } from './path-on-disk.ts';
import { asLincirError } from './refusals.ts';

/** Longest line, in bytes. A longer one is not text, and must not fill the memory. */
const lineLimit = 2 ** 20;
const charactersPerBatch = 2 ** 16;
const [lineFeed, carriageReturn] = [0x0a, 0x0d];

/** The lines of a file, which is opened for the first one. Throws 'not-found', 'io' or 'bad-file'. */
export async function* fileLines(path: string): AsyncGenerator<string, void, void> {
  yield* readLines(createReadStream(await pathOnDisk(path), { highWaterMark: 2 ** 18 }), path);
}

/**
 * The lines of a stream without their ends: `\n`, `\r\n` or, as old Macs wrote, `\r`. The last line needs no end.
 * A byte order mark does not belong to a line.
 * @param subject the stream's name in messages
 * @throws LincirError 'bad-file' naming a line that is not UTF-8 or longer than 1 MiB, and what reading throws.
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  subject: string,
): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let number = 0;
  let rest = Buffer.alloc(0);

  const decode = (bytes: Uint8Array): string => {
    number += 1;
    const refuse = (found: string, cause?: unknown) =>
      new LincirError('bad-file', {
        subject: `${subject}: line ${number}`,
        expected: `text in UTF-8 of at most ${lineLimit} bytes`,
        found,
        cause,
      });
    if (bytes.length > lineLimit) throw refuse('more');
    try {
      return decoder.decode(bytes);
    } catch (cause) {
      throw refuse('bytes that are not UTF-8', cause);
    }
  };

  try {
    let isAfterReturn = false;
    for await (const chunk of chunks) {
      if (chunk.length === 0) continue;
      let begin = isAfterReturn && chunk[0] === lineFeed ? 1 : 0;
      let feed = indexIn(chunk, lineFeed, begin);
      let back = indexIn(chunk, carriageReturn, begin);
      for (let end = Math.min(feed, back); end < chunk.length; end = Math.min(feed, back)) {
        const line = chunk.subarray(begin, end);
        yield decode(rest.length === 0 ? line : Buffer.concat([rest, line]));
        rest = Buffer.alloc(0);
        begin = end + (end === back && chunk[end + 1] === lineFeed ? 2 : 1);
        if (feed < begin) feed = indexIn(chunk, lineFeed, begin);
        if (back < begin) back = indexIn(chunk, carriageReturn, begin);
      }
      isAfterReturn = chunk.at(-1) === carriageReturn;
      rest = Buffer.concat([rest, chunk.subarray(begin)]);
      if (rest.length > lineLimit) decode(rest);
    }
    if (rest.length > 0) yield decode(rest);
  } catch (error) {
    throw asLincirError(error, subject, 'read');
  }
}

/** First position of a byte from `begin` on; infinity if it is not there. */
function indexIn(chunk: Uint8Array, byte: number, begin: number): number {
  const index = chunk.indexOf(byte, begin);
  return index < 0 ? Infinity : index;
}

/** The same text in larger pieces: a system call for every line would be slow. */
export async function* batched(texts: AsyncIterable<string>): AsyncGenerator<string, void, void> {
  let batch = '';
  for await (const text of texts) {
    batch += text;
    if (batch.length < charactersPerBatch) continue;
    yield batch;
    batch = '';
  }
  yield batch;
}
