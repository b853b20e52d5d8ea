/** Addresses of pictures that clients of clip-retrieval can show, and from these back to images of an index. */

import type { Context } from 'hono';
import type { ServerSettings } from '../settings.ts';

/** An image of an index. */
interface Place {
  readonly index: string;
  readonly id: string;
}

/** The end of a picture's address, in this protocol or API v1. */
const picture =
  /\/(?:knn-image\/([\w.-]+)|api\/v1\/indexes\/([\w.-]+)\/images)\/([\da-f]{16}|[\da-f]{24})(?:\/(?:thumbnail|original))?$/;

/** The address of the service as the client of a request reaches it, without a slash at its end. */
export function backendOf({ req }: Context, { publicUrl, knnService }: ServerSettings): string {
  // Only names of this server come as far as here. The address of a request may have another one.
  const server = publicUrl?.replace(/\/+$/, '') ?? `${new URL(req.url).protocol}//${req.header('host')}`;
  return typeof knnService === 'object' ? `${server}/${knnService.token}` : server;
}

export function pictureAddress(backend: string, { index, id }: Place): string {
  return `${backend}/knn-image/${index}/${id}`;
}

/** The image that an address of this server shows; undefined for all other addresses. */
export function placeAt(address: string, backend: string): Place | undefined {
  const url = URL.parse(address);
  if (url === null || url.host !== new URL(backend).host) return undefined;
  const [, here, there, id] = picture.exec(url.pathname) ?? [];
  const index = here ?? there;
  return index === undefined || id === undefined ? undefined : { index, id };
}
