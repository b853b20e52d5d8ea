/** Lists what is below a prefix of a bucket, in the order of the keys. */

import { z } from 'zod';
import { LincirError } from '../../core/index.ts';
import { parseS3 } from './connection.ts';
import { connectionTo, type S3Facts } from './object.ts';

const entry = z.object({
  key: z.string(),
  etag: z.string(),
  size: z.coerce.number().int().nonnegative(),
  modified: z.iso.datetime({ offset: true }),
});
/** Of one answer: 1,000 keys of at most 1,024 bytes, three times as long when they are encoded. */
const largestAnswer = 2 ** 23;

/**
 * All objects whose address begins with this one.
 * @throws LincirError 'not-found' for a bucket that is not there, and 'network'
 */
export async function* s3Listing(address: string, signal?: AbortSignal): AsyncGenerator<S3Facts, void, void> {
  const { bucket, key: prefix } = parseS3(address);
  const connection = connectionTo(bucket);
  let token: string | undefined;
  do {
    const query = {
      ...{ 'list-type': '2', 'encoding-type': 'url', prefix },
      ...(token !== undefined && { 'continuation-token': token }),
    };
    const answer = await connection.request(address, { key: '', query, signal }, async (_, chunks) => {
      const parts: Uint8Array[] = [];
      let length = 0;
      for await (const chunk of chunks) {
        length += chunk.length;
        if (length > largestAnswer) throw unusable(address);
        parts.push(chunk);
      }
      return Buffer.concat(parts).toString();
    });
    if (!/<ListBucketResult[\s>]/.test(answer)) throw unusable(address);
    for (const [contents] of answer.matchAll(/<Contents>.*?<\/Contents>/gs)) {
      const found = entry.safeParse({
        key: textOf(contents, 'Key'),
        etag: textOf(contents, 'ETag'),
        size: textOf(contents, 'Size'),
        modified: textOf(contents, 'LastModified'),
      });
      if (!found.success) throw unusable(address);
      const { key, modified, ...facts } = found.data;
      yield { name: `s3://${bucket}/${decoded(key, address)}`, ...facts, modified: Date.parse(modified) };
    }
    token = textOf(answer, 'IsTruncated') === 'true' ? textOf(answer, 'NextContinuationToken') : undefined;
  } while (token !== undefined);
}

/** The text of the first element of this name, if it has one. */
function textOf(xml: string, name: string): string | undefined {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  return text?.replaceAll(
    /&(?:(quot|amp|lt|gt|apos)|#(x[\da-f]{1,6}|\d{1,7}));/gi,
    (whole, name: string | undefined, code: string | undefined) => {
      if (name !== undefined) return entities[name.toLowerCase()]!;
      const point = Number(code!.replace(/^x/i, '0x'));
      return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
    },
  );
}

const entities: Readonly<Record<string, string>> = { quot: '"', amp: '&', lt: '<', gt: '>', apos: "'" };

function decoded(key: string, address: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    throw unusable(address);
  }
}

function unusable(subject: string): LincirError {
  return new LincirError('network', {
    subject,
    expected: "a list of a bucket's objects",
    found: 'another answer',
    todo: 'check AWS_ENDPOINT_URL: the server must speak S3',
  });
}
