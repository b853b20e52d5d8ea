/** The server as a back end: the API's own client, and `fetch` that tells how much of an upload is sent. */

import { createClient, type Fetch } from '../../src/api/client.ts';
import type { BackEnd } from './back-end.ts';

/** @param url where the server is */
export function serverBackEnd(url: string): BackEnd {
  const client = createClient({ url });
  return {
    ...client,
    self: 'the server',
    thumbnailSides: [160, 320, 640],
    thumbnail: client.thumbnailUrl,
    original: client.originalUrl,
    originalLink: client.originalUrl,
    uploadThumbnail: client.uploadThumbnailUrl,
    upload: (index, file, onSent, options = {}) =>
      createClient({ url, fetch: sending(onSent) }).upload(file, { index, name: file.name, ...options }),
  };
}

/** `fetch` that tells how much is sent, which the browsers' own does not: XMLHttpRequest does. */
function sending(onSent: (part: number) => void): Fetch {
  return (address, { method, headers, body, signal }) =>
    new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open(method, address);
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      request.responseType = 'arraybuffer';
      request.upload.onprogress = ({ loaded, total }) => onSent(total > 0 ? loaded / total : 0);
      request.onerror = () => reject(new TypeError('no answer'));
      request.onabort = () => reject(signal?.reason);
      signal?.addEventListener('abort', () => request.abort());
      request.onload = () => {
        const { status } = request;
        const answer = request.response as ArrayBuffer;
        resolve({
          ok: status >= 200 && status < 300,
          status,
          headers: { get: (name) => request.getResponseHeader(name) },
          json: async () => JSON.parse(new TextDecoder().decode(answer)) as unknown,
          arrayBuffer: async () => answer,
        });
      };
      request.send(body);
    });
}
