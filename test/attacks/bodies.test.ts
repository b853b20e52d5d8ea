/** Attacks by what a body brings: bombs, depth, numbers of things, and values that no schema expects. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import {
  composeRequest,
  embedRequest,
  imagesRequest,
  indexingRequest,
  searchRequest,
  valuesRequest,
} from '../../src/api/index.ts';
import { isRefusal, type Target, target } from './target.ts';

let one: Target;
before(async () => {
  one = await target({ args: ['--knn-service'] });
});
after(() => one.stop());

const paths = [
  ...['search', 'compose', 'embed', 'indexes/photos/images'].map((path) => `api/v1/${path}`),
  ...['mcp', 'knn-service', 'metadata'],
];

/** Refused as a fault of the client's, in few words. */
async function refused(answer: Response, about: string): Promise<string> {
  const text = await answer.text();
  assert.ok(isRefusal(answer.status, text), `${about}: ${answer.status} ${text.slice(0, 500)}`);
  assert.ok(text.length < 4000, `${about}: ${text.length} characters`);
  return text;
}

describe('images that are small to send and large to open', () => {
  /** A PNG whose header tells of so many pixels. */
  const png = (width: number, height: number) => {
    const chunk = (type: string, data: Buffer) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(data.length);
      return Buffer.concat([length, Buffer.from(type), data, Buffer.alloc(4)]);
    };
    const header = Buffer.alloc(13);
    header.writeUInt32BE(width, 0);
    header.writeUInt32BE(height, 4);
    header.set([8, 2, 0, 0, 0], 8);
    return Buffer.concat([
      Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
      chunk('IHDR', header),
      chunk('IDAT', deflateSync(Buffer.alloc(2 ** 20))),
      chunk('IEND', Buffer.alloc(0)),
    ]);
  };
  const svg = (inside: string, size = '100') =>
    Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}">${inside}</svg>`);
  const entities = Array.from({ length: 20 }, (_, at) => `<!ENTITY e${at + 1} "${`&e${at};`.repeat(20)}">`);
  const bombs: [name: string, bytes: Buffer][] = [
    ['a PNG of 3.6 gigapixels', png(60_000, 60_000)],
    ['a PNG of the largest numbers', png(2 ** 31 - 1, 2 ** 31 - 1)],
    ['a PNG of a long line', png(2 ** 31 - 1, 1)],
    ['a PNG of no pixels', png(0, 0)],
    ['a GIF of 65535 squared', Buffer.from('GIF89a\xff\xff\xff\xff\x00\x00\x00,\x00', 'latin1')],
    [
      'a BMP of 2 gigapixels',
      Buffer.from(
        `BM${'\0'.repeat(12)}\x28\0\0\0\xff\xff\0\0\xff\x7f\0\0\x01\0\x18\0${'\0'.repeat(40)}`,
        'latin1',
      ),
    ],
    [
      'a drawing of 8 billion words',
      Buffer.from(
        `<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY e0 "ha">${entities.join('')}]><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>&e20;</text></svg>`,
      ),
    ],
    ['a PNG that ends at once', png(10, 10).subarray(0, 40)],
    ['no image', Buffer.from('<html><script>alert(1)</script></html>')],
    ['nothing', Buffer.alloc(0)],
  ];

  test('are refused by their headers, as uploads and in base64', async () => {
    for (const [name, bytes] of bombs) {
      await refused(await one.post('api/v1/uploads', Uint8Array.from(bytes), 'image/png'), name);
      const data = bytes.toString('base64');
      await refused(await one.post('api/v1/search', JSON.stringify({ images: [{ data }] })), name);
      const old = { image: data, modality: 'image', num_images: 1, indice_name: '' };
      await refused(await one.post('knn-service', JSON.stringify(old)), name);
    }
    await one.expectWell();
  });

  test('drawings read no files and no addresses, and are drawn small', async () => {
    const drawings = [
      svg('<image href="file:///etc/passwd" width="99" height="99"/>'),
      svg(`<image href="${one.url}api/v1" width="99" height="99"/>`),
      svg('<rect width="100%" height="100%"/>', '1000000'),
      Buffer.from(
        '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>&x;</text></svg>',
      ),
    ];
    for (const bytes of drawings) {
      const answer = await one.post('api/v1/uploads', Uint8Array.from(bytes), 'image/svg+xml');
      const text = await answer.text();
      assert.ok([201, 422].includes(answer.status), text);
      if (answer.status !== 201) continue;
      const { upload } = JSON.parse(text) as { upload: string };
      const shown = await fetch(new URL(`api/v1/uploads/${upload}/thumbnail`, one.url));
      assert.equal(shown.headers.get('content-type'), 'image/jpeg');
    }
    await one.expectWell();
  });
});

describe('bodies', () => {
  test('larger than they may be are refused before they are read', async () => {
    const large = `{"text":"${'x'.repeat(17 * 2 ** 20)}"}`;
    for (const path of paths) {
      const answer = await one.post(path, large).catch(() => undefined);
      if (answer) assert.equal(answer.status, 413, path);
    }
    const said = await one.raw(
      `POST /api/v1/uploads HTTP/1.1\r\nHost: localhost:${one.port}\r\nContent-Type: image/png\r\nContent-Length: 99999999999\r\nConnection: close\r\n\r\n`,
    );
    assert.match(said, /^HTTP\/1\.1 413/);
    await one.expectWell();
  });

  test('that are compressed are not unpacked', async () => {
    const bomb = gzipSync(`{"text":"${' '.repeat(50 * 2 ** 20)}"}`);
    for (const encoding of ['gzip', 'deflate', 'br', 'gzip, gzip']) {
      for (const path of paths) {
        const answer = await fetch(new URL(path, one.url), {
          method: 'POST',
          body: Uint8Array.from(bomb),
          headers: { 'content-type': 'application/json', 'content-encoding': encoding },
        });
        await refused(answer, `${path} ${encoding}`);
      }
    }
    await one.expectWell();
  });

  test('that are deep, or have a million keys, are refused in few words', async () => {
    const deep = `${'['.repeat(500_000)}${']'.repeat(500_000)}`;
    const nested = `${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`;
    const keys = `{${Array.from({ length: 1_000_000 }, (_, at) => `"k${at}":0`).join()}}`;
    const images = `{"images":[${'{},'.repeat(999_999)}{}]}`;
    const ids = `{"ids":[${'"x",'.repeat(999_999)}"x"]}`;
    for (const path of paths) {
      for (const body of [deep, nested, `{"text":${nested}}`, keys, images, ids]) {
        await refused(await one.post(path, body), `${path} ${body.slice(0, 20)}`);
      }
    }
    await one.expectWell();
  });

  test('bring lists of bounded lengths: each wrong item costs a message', async () => {
    const listed = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
    const [, tools] = /^data: ([^\n]*)/m.exec(await (await one.post('mcp', JSON.stringify(listed))).text())!;
    const requests = [
      searchRequest,
      composeRequest,
      embedRequest,
      imagesRequest,
      indexingRequest,
      valuesRequest,
    ];
    const schemas: unknown[] = [...requests.map((one) => z.toJSONSchema(one)), JSON.parse(tools!)];
    let lists = 0;
    for (const schema of schemas) {
      JSON.stringify(schema, (key, value) => {
        if (key === 'outputSchema') return undefined;
        if (value?.type === 'array') {
          lists += 1;
          assert.equal(typeof value.maxItems, 'number', `${key} ${JSON.stringify(value)}`);
        }
        return value;
      });
    }
    assert.ok(lists > 15, String(lists));
    const many = (field: string, item: string) => `{"${field}":[${`${item},`.repeat(90_000)}${item}]}`;
    for (const field of ['images', 'more', 'less', 'fields', 'vector', 'texts', 'ids', 'embedding_input']) {
      for (const path of paths) await refused(await one.post(path, many(field, '""')), `${path} ${field}`);
    }
    await one.expectWell();
  });

  test('ask for no comparison of all with all', async () => {
    for (const body of [
      '{"text":"a","unique":0.99,"limit":1001}',
      '{"text":"a","unique":1,"offset":990,"limit":11}',
    ]) {
      assert.match(await refused(await one.post('api/v1/search', body), body), /compared with each other/);
    }
    const answer = await one.post('api/v1/search', '{"text":"a","unique":0.99,"limit":1000}');
    assert.equal(answer.status, 200, await answer.text());
  });

  test('do not reach what all objects share', async () => {
    for (const path of paths) {
      for (const body of [
        '{"__proto__":{"limit":1,"text":"a"}}',
        '{"constructor":{"prototype":{"limit":1}}}',
        '{"toString":1}',
        '{"images":[{"__proto__":{"id":"0123456789abcdef"}}]}',
      ]) {
        await refused(await one.post(path, body), `${path} ${body}`);
      }
    }
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } };
      assert.match(await (await one.post('mcp', JSON.stringify(call))).text(), /"error"|isError/);
      const form = new FormData();
      form.append(name, 'x');
      const answer = await fetch(new URL('api/v1/search', one.url), { method: 'POST', body: form });
      await refused(answer, name);
      for (const path of [`indexes/${name}`, `indexes/photos/columns/${name}/values`]) {
        await refused(await fetch(new URL(`api/v1/${path}`, one.url)), path);
      }
    }
    await one.expectWell();
  });

  test('with values of every kind are answered, or refused', async () => {
    const values = [
      ...[
        'null',
        'true',
        '-1',
        '1e400',
        '-1e400',
        '1e308',
        '0.1',
        '""',
        '"\\u0000"',
        '"\\ud800"',
        '[]',
        '{}',
        '[null]',
        '"NaN"',
      ],
      ...[
        '"\\\\$1"',
        '"$1 $2 $99"',
        '"$100000000000000000000"',
        '9007199254740993',
        `"${'\u202e'.repeat(100)}"`,
      ],
    ];
    const fields = [
      ...[
        'index',
        'images',
        'text',
        'without',
        'withoutWeight',
        'method',
        'weight',
        'more',
        'less',
        'vector',
      ],
      ...[
        'moreWeight',
        'filter',
        'minScore',
        'limit',
        'offset',
        'fields',
        'unique',
        'includeReferences',
        'exact',
      ],
    ];
    const image = `{"id":"${one.place.ids[0]}"}`;
    for (const field of fields) {
      for (const value of values) {
        for (const rest of ['"text":"a"', `"images":[${image}]`, `"images":[${image}],"text":"a"`]) {
          const answer = await one.post('api/v1/search', `{${rest},"${field}":${value}}`);
          const text = await answer.text();
          assert.ok(answer.status < 500, `${rest} ${field} ${value}: ${text}`);
        }
      }
    }
    const dimensions = 24;
    for (const number of ['1e308', '-1e308', '1e39', '1e-320', '0', '-0']) {
      const vector = `[${Array(dimensions).fill(number).join()}]`;
      for (const path of ['search', 'compose']) {
        const answer = await one.post(`api/v1/${path}`, `{"vector":${vector}}`);
        assert.ok(answer.status < 500, `${path} ${number}: ${await answer.text()}`);
      }
      const old = `{"embedding_input":${vector},"modality":"image","num_images":1,"indice_name":""}`;
      const answer = await one.post('knn-service', old);
      const text = await answer.text();
      assert.ok(answer.status < 500 || isRefusal(answer.status, text), `knn ${number}: ${text}`);
    }
    await one.expectWell();
  });

  test('with filters that take long to read are refused or answered', async () => {
    const filters = [
      '('.repeat(4000),
      'not '.repeat(1000),
      `${'not '.repeat(990)}path like 'a'`,
      `path like '${'%a'.repeat(1900)}'`,
      `path like '${'%_'.repeat(1900)}x'`,
      `path like '${'_'.repeat(3900)}'`,
      `path ilike '${'%\\'.repeat(1900)}'`,
      `path in (${"'a',".repeat(900)}'a')`,
      Array(250).fill('size = 1').join(' or '),
      "path = '\\'; drop table images; --'",
      "path = '\"' or 1 = 1",
      `"${'x'.repeat(3900)}" = 1`,
      "path = ''''''''",
      'size = 1e999',
    ];
    for (const filter of filters) {
      const answer = await one.post('api/v1/search', JSON.stringify({ text: 'a', filter }));
      const text = await answer.text();
      assert.ok(answer.status < 500, `${filter.slice(0, 60)}: ${text}`);
    }
    await one.expectWell();
  });
});

describe('forms', () => {
  const boundary = 'XX';
  const send = (path: string, parts: readonly string[], end = `--${boundary}--\r\n`) =>
    one.post(
      path,
      `${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('')}${end}`,
      `multipart/form-data; boundary=${boundary}`,
    );
  const field = (name: string, value: string) =>
    `Content-Disposition: form-data; name="${name}"\r\n\r\n${value}`;
  const file = (name: string) =>
    `Content-Disposition: form-data; name="image"; filename="${name}"\r\nContent-Type: image/png\r\n\r\nno image`;

  test('of too many, broken or foreign parts are refused', async () => {
    for (const path of ['api/v1/search', 'api/v1/compose', 'api/v1/embed', 'api/v1/uploads']) {
      for (const parts of [
        Array(50_000).fill(field('a', 'b')),
        Array(60).fill(file('a.png')),
        [file('../../../etc/cron.d/x')],
        [file('/etc/passwd\0.png')],
        [field('limit', '1e9')],
        [field('images', '[{"id":"../../x"}]')],
        [field('vector', `[${'1,'.repeat(10_000)}1]`)],
        [`Content-Disposition: form-data; name="a\r\n\r\nb`],
        ['no header at all'],
        [`X: ${'y'.repeat(100_000)}\r\n\r\n`],
      ]) {
        await refused(await send(path, parts), `${path} ${String(parts[0]).slice(0, 60)}`);
      }
      await refused(await send(path, [file('a.png')], ''), `${path} without an end`);
      await refused(await one.post(path, 'x', 'multipart/form-data'), `${path} without a boundary`);
      const long = `multipart/form-data; boundary=${'b'.repeat(5000)}`;
      await refused(await one.post(path, 'x', long), `${path} with a long boundary`);
    }
    await one.expectWell();
  });
});
