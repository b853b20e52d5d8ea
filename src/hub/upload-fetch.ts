/** A fetch for uploads to the hub: gives the token to the hub alone, retries what may pass, and counts what is sent. */

import { parseJsonText, unquoted } from '../core/index.ts';
import { transfer } from '../files/index.ts';
import { type Connection, interruptionIn, persistently } from './request.ts';

/** A status that ends an upload, with what the server says about it. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Limit in bytes of an answer. One for a file of a thousand parts, with their addresses, has about a million. */
const largestAnswer = 2 ** 24;

/**
 * @param onSent gets the number of bytes that have been sent, negative for those that must be sent again
 * @returns a fetch whose answers all have a status below 300
 * @throws what `persistently` throws, and Refusal
 */
export function uploadFetch(
  connection: Connection,
  subject: string,
  onSent: (bytes: number) => void,
): typeof fetch {
  return async (address, { body, headers, method, signal: ended } = {}) => {
    const { endpoint, token } = connection;
    const isHub = new URL(`${address}`).origin === new URL(endpoint).origin;
    const all = new Headers(headers);
    all.delete('authorization');
    if (isHub && token !== undefined) all.set('authorization', `Bearer ${token}`);
    const attempt = async () => {
      let sent = 0;
      const send = (broken: AbortSignal, alive: () => void) => {
        const onChunk = (bytes: number) => {
          alive();
          sent += bytes;
          onSent(bytes);
        };
        return fetch(address, {
          ...(method !== undefined && { method }),
          headers: all,
          ...(body && { body: body instanceof Blob ? new CountedBlob(body, onChunk) : body }),
          signal: AbortSignal.any([broken, ...(ended ? [ended] : [])]),
        });
      };
      try {
        return await transfer(connection, send, async (response, chunks) => {
          const interruption = interruptionIn(response);
          if (interruption) throw interruption;
          const answer = await bytesOf(chunks);
          if (!response.ok) throw new Refusal(response.status, reasonIn(response, answer));
          const { status, headers } = response;
          return new Response(status === 204 ? null : answer, { status, headers });
        });
      } catch (error) {
        onSent(-sent);
        ended?.throwIfAborted(); // another part has failed for good
        throw error;
      }
    };
    return await persistently(connection, subject, attempt, 'to send it to');
  };
}

/** What the server says about its refusal, made safe for a message. */
function reasonIn({ status, headers }: Response, answer: Uint8Array): string {
  const text = Buffer.from(answer.subarray(0, 4096)).toString();
  let told = headers.get('x-error-message') ?? '';
  try {
    const json = parseJsonText(text, 'answer');
    if (typeof json === 'object' && json !== null && 'error' in json) told = `${json.error}`;
  } catch {
    // Storage answers in XML, which says nothing that users need.
  }
  return `HTTP status ${status}${told === '' ? '' : `: ${unquoted(told, 300)}`}`;
}

async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const read: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > largestAnswer) throw new Refusal(0, `an answer of more than ${largestAnswer} bytes`);
    read.push(chunk);
  }
  return new Uint8Array(Buffer.concat(read));
}

/** A part of a file that tells how much of it has been read. fetch asks a Blob for its size, and for its stream. */
class CountedBlob extends Blob {
  readonly #content: Blob;
  readonly #onChunk: (bytes: number) => void;

  constructor(content: Blob, onChunk: (bytes: number) => void) {
    super([]);
    this.#content = content;
    this.#onChunk = onChunk;
    Object.defineProperty(this, 'size', { value: content.size });
  }

  override stream(): ReturnType<Blob['stream']> {
    const counting = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform: (chunk, controller) => {
        this.#onChunk(chunk.length);
        controller.enqueue(chunk);
      },
    });
    return this.#content.stream().pipeThrough(counting) as ReturnType<Blob['stream']>;
  }
}
