/** Reads an image from standard input, for `-`. */

import { formatBytes, LincirError } from '../../core/index.ts';
import type { SearchRequest } from '../../search/index.ts';

/** Limit of standard input in bytes, the same as for the web. */
const inputLimit = 2 ** 26;

/** The request with the image itself in place of each `-`. */
export async function withInput(request: SearchRequest, isDialogue: boolean): Promise<SearchRequest> {
  if (!request.images.includes('-')) return request;
  const file = new File([await inputBytes(isDialogue)], '-');
  return { ...request, images: request.images.map((image) => (image === '-' ? file : image)) };
}

async function inputBytes(isDialogue: boolean): Promise<Uint8Array<ArrayBuffer>> {
  const refuse = (code: 'bad-argument' | 'bad-file', expected: string, found: string, todo: string) =>
    new LincirError(code, { subject: '--image -', expected, found, todo });
  if (isDialogue) {
    throw refuse(
      'bad-argument',
      'a file',
      'standard input, where the lines of the dialogue come from',
      'name it',
    );
  }
  if (process.stdin.isTTY) {
    throw refuse(
      'bad-argument',
      'an image on standard input',
      'a terminal',
      'write, say, < dog.jpg after it',
    );
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size <= inputLimit) continue;
    throw refuse('bad-file', `at most ${formatBytes(inputLimit)}`, 'more', 'name the file instead');
  }
  if (size === 0) throw refuse('bad-file', 'an image on standard input', 'nothing', 'see what writes it');
  return new Uint8Array(Buffer.concat(chunks));
}
