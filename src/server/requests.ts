/** What requests bring: bodies within bounds, checked by the schemas of the API. */

import type { Context } from 'hono';
import type { z } from 'zod';
import { checkedValue, LincirError, parseJson, quoted } from '../core/index.ts';
import type { RequestScope } from '../service/index.ts';
import { refusal } from './problems.ts';
import type { ServerSettings } from './settings.ts';

/** Bytes of JSON that has an image in it, in base64. Larger ones are for uploads: parsing blocks all others. */
export const jsonBytes = 2 ** 24;
/** Values in lists and objects: more than any request has, and parsed at once. */
const mostValues = 100_000;
const comma = ','.charCodeAt(0);

/** How long the answer to a request is worth something. Called when its body is there. */
export function scopeOf(context: Context, { requestSeconds }: ServerSettings): RequestScope {
  return { signal: context.req.raw.signal, deadline: performance.now() + requestSeconds * 1000 };
}

/** The media type of a body, without its parameters; empty if none is given. */
export function contentType(context: Context): string {
  return (context.req.header('content-type') ?? '').split(';', 1)[0]!.trim().toLowerCase();
}

/**
 * Reads a body of at most `limit` bytes, and never takes memory for more.
 * @throws a refusal with status 413
 */
export async function readBody(context: Context, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const { raw } = context.req;
  const length = raw.headers.get('content-length');
  if (length !== null && raw.headers.get('transfer-encoding') === null) {
    expectAtMost(limit, Number(length));
    return new Uint8Array(await raw.arrayBuffer());
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of raw.body ?? []) {
    size += chunk.length;
    expectAtMost(limit, size);
    chunks.push(chunk);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** Reads a JSON body. Throws refusals, and 'bad-argument' for what is no JSON. */
export async function readJsonBody(context: Context, limit = jsonBytes): Promise<unknown> {
  expectType(context, ['application/json']);
  return parsedJson(await readBody(context, limit));
}

/** The same for bytes that were read, whatever they are called. */
export function parsedJson(bytes: Uint8Array): unknown {
  expectFewValues(bytes);
  return asArgument(() => parseJson(bytes, 'the body'));
}

/** Counts commas, which cost the most to parse: a large body is an image in base64, which has none. */
function expectFewValues(bytes: Uint8Array): void {
  let at = -1;
  for (let count = 0; count <= mostValues; count += 1) {
    at = bytes.indexOf(comma, at + 1);
    if (at === -1) return;
  }
  throw new LincirError('bad-argument', {
    subject: 'the body',
    expected: `JSON of at most ${mostValues} values`,
    found: 'more',
  });
}

/** Checks a request, and names the field that does not fit. Throws 'bad-argument'. */
export function checkedRequest<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  subject = 'the request',
): z.output<Schema> {
  return asArgument(() => checkedValue(schema, value, subject));
}

/** Refuses a body of another type than it takes: a page of any site may send `text/plain` without asking. */
export function expectType(context: Context, types: readonly string[]): void {
  const found = contentType(context);
  if (types.some((type) => (type.endsWith('/*') ? found.startsWith(type.slice(0, -1)) : found === type)))
    return;
  throw refusal(415, {
    subject: 'content-type',
    expected: types.join(' or '),
    found: found === '' ? 'none' : quoted(found),
  });
}

/** What readers of files call a bad file is a bad argument here. */
function asArgument<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof LincirError && error.code === 'bad-file')
      throw new LincirError('bad-argument', error.problem);
    throw error;
  }
}

function expectAtMost(limit: number, size: number): void {
  if (size <= limit) return;
  throw refusal(413, { subject: 'the body', expected: `at most ${limit} bytes`, found: `${size} or more` });
}
