/** What clients of the server send, and the file of its keys. */

import { type Context, Hono } from 'hono';
import { searchRequest } from '../../../src/api/index.ts';
import { readKeys, readToken } from '../../../src/cli/serving/keys.ts';
import { readForm } from '../../../src/server/multipart.ts';
import { checkedRequest, parsedJson } from '../../../src/server/requests.ts';
import { Uploads, written } from '../../../src/service/uploads.ts';
import { bytesOf, jsonOf, jsonTokens, ofFile, type Target, textTokens } from '../target.ts';

const query = {
  images: [{ id: '0123456789abcdef' }, { data: 'AAAA' }, { url: 'https://example.org/a.jpg' }],
  text: 'the dog of $1 in the snow',
  weight: 0.5,
  vector: [0.5, -1e-3],
  filter: "rating >= 4 and path like '%a'",
  fields: ['path', 'metadata'],
  unique: true,
};
const boundary = 'abcdefgh';
const form = [
  ...['--abcdefgh', 'content-disposition: form-data; name="image"; filename="dog.jpg"', '', 'bytes'],
  ...['--abcdefgh', 'content-disposition: form-data; name="fields"', '', '["path"]'],
  ...['--abcdefgh', 'content-disposition: form-data; name="limit"', '', '5'],
  ...['--abcdefgh--', ''],
].join('\r\n');

const upload = {
  ...{ name: 'dog.jpg', hash: 'ab'.repeat(32), fingerprint: '0123456789abcdef' },
  ...{ embedding: new Float32Array([0.5, -2]), thumbnail: Uint8Array.of(255, 216, 255) },
};

export async function requestTargets(folder: string) {
  return {
    'request-json': {
      covers: ['server/requests.ts'],
      seeds: [jsonOf(query)],
      tokens: [...jsonTokens, '$ref', 'images', '=', '://', '%00'],
      read: async (bytes) => checkedRequest(searchRequest, parsedJson(bytes)),
    },
    'request-form': {
      covers: ['server/multipart.ts'],
      seeds: [bytesOf(form)],
      tokens: [
        '--',
        '\r\n',
        boundary,
        'name="',
        'filename*=UTF-8',
        "''",
        '%',
        '\0',
        '__proto__',
        'image',
        ';',
        '"',
      ],
      read: (bytes) =>
        inRequest(bytes, async (context) => {
          const { fields } = await readForm(context, 2 ** 26, searchRequest.shape);
          checkedRequest(searchRequest, fields);
        }),
    },
    upload: {
      covers: ['service/uploads.ts'],
      seeds: [bytesOf(written(upload))],
      tokens: [...jsonTokens, 'embedding', 'thumbnail', '=', 'AAAA'],
      read: async (bytes) => {
        const text = new TextDecoder().decode(bytes);
        await new Uploads().find('a', {
          readiness: async () => undefined,
          put: async () => {},
          get: async () => text,
        });
      },
    },
    keys: {
      covers: ['cli/serving/keys.ts'],
      seeds: [bytesOf('a-key-of-somebody-0\r\n\r\nanother-key-of-somebody\n')],
      tokens: textTokens,
      read: ofFile(folder, 'keys.txt', (path) => readKeys(path, {})),
    },
    token: {
      covers: ['cli/serving/keys.ts'],
      seeds: [bytesOf('a-secret-part-of-an-address\n')],
      tokens: textTokens,
      read: ofFile(folder, 'token.txt', readToken),
    },
  } satisfies Record<string, Target>;
}

/** Reads a form's bytes as a route does, and throws what reading throws. */
async function inRequest(body: Uint8Array, read: (context: Context) => Promise<void>): Promise<void> {
  let failure: unknown;
  const app = new Hono().post('/', async (context) => {
    await read(context).catch((error: unknown) => {
      failure = error;
    });
    return context.body(null);
  });
  const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` };
  await app.request('/', { method: 'POST', body: new Uint8Array(body), headers });
  if (failure !== undefined) throw failure;
}
