/** Finds the images that a query names: by id, upload, web address, or their bytes. */

import type { ImageReference } from '../api/index.ts';
import { LincirError } from '../core/index.ts';
import { fetchImage } from '../pictures/index.ts';
import { ownBytes } from './preparing.ts';

/** The largest image of a request, in bytes, encoded as it is. */
export const largestUpload = 64 * 2 ** 20;
/** Milliseconds for an image from the web. */
const fetchTimeout = 15_000;

/** The bytes that a reference brings or names on the web; undefined for ids and uploads. */
export async function bytesOfReference(
  reference: ImageReference,
  allowImageUrls: boolean,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if ('data' in reference) return decodedBase64(reference.data);
  if ('url' in reference) return await fetched(reference.url, allowImageUrls, signal);
  return undefined;
}

/** Measures before it decodes. */
function decodedBase64(text: string): Uint8Array<ArrayBuffer> {
  const size = Math.floor((text.length * 3) / 4);
  if (size > largestUpload) {
    throw new LincirError('bad-argument', {
      subject: 'an image in base64',
      expected: `at most ${largestUpload} bytes`,
      found: `about ${size}`,
      todo: 'make the image smaller',
    });
  }
  return ownBytes(Buffer.from(text, 'base64'));
}

/**
 * An image from the public web. Whatever goes wrong, the error is the same: it must not tell strangers which hosts and
 * ports this machine can reach.
 */
async function fetched(
  url: string,
  isAllowed: boolean,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  if (!isAllowed) {
    throw new LincirError('bad-argument', {
      subject: 'an image by its web address',
      expected: 'an id, an upload or bytes',
      found: 'a web address, which this server does not fetch',
      todo: 'upload the image instead',
    });
  }
  try {
    return await fetchImage(url, { maxBytes: largestUpload, timeout: fetchTimeout, signal });
  } catch {
    signal.throwIfAborted();
    throw new LincirError('bad-argument', {
      subject: 'an image by its web address',
      expected: 'an image on the public web that can be fetched',
      found: 'none there',
      todo: 'check the address, or upload the image instead',
    });
  }
}
