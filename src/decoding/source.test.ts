/** An image is the same from wherever it comes, and is read anew each time. */

import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { defaultMaxPixels, type ImageSource } from '../pixels/index.ts';
import { decodeImage, shownImage } from './decode.ts';

const path = join(import.meta.dirname, '../../test/fixtures/images/landscape.png');
const decode = (source: ImageSource) => decodeImage(source, 'it', defaultMaxPixels);

test('paths, URLs, bytes of all shapes, Blobs and Files', async () => {
  const wanted = await decode(path);
  const bytes = await readFile(path);
  const buffer = new Uint8Array(bytes).buffer;
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  const sources: Record<string, ImageSource> = {
    'file: URL': pathToFileURL(path),
    'data: URL': new URL(`data:image/png;base64,${bytes.toString('base64')}`),
    Buffer: bytes,
    ArrayBuffer: buffer,
    'shared memory': shared,
    Blob: new Blob([bytes], { type: 'text/plain' }),
    File: new File([bytes], 'it.jpg'),
  };
  for (const [name, source] of Object.entries(sources)) assert.deepEqual(await decode(source), wanted, name);
  const within = new Uint8Array(bytes.length + 9);
  within.set(bytes, 9);
  assert.deepEqual(await decode(within.subarray(9)), wanted);
});

test('what cannot be read says which it is', async () => {
  const refusals: [ImageSource, string, RegExp][] = [
    [
      new URL('https://example.com/a.jpg'),
      'bad-argument',
      /^it: expected a URL that begins with file: or data:, .*https:.*; fetch it/,
    ],
    [new URL('data:text/plain;base64,%%%'), 'bad-file', /^it: /],
    [pathToFileURL('/no/such.jpg'), 'not-found', /^\/no\/such.jpg: .*nothing there/],
    [new Blob([]), 'bad-file', /^it: .*no bytes/],
    [new File(['text'], 'notes.jpg'), 'bad-file', /^notes.jpg: .*unsupported image format/],
    [new ArrayBuffer(0), 'bad-file', /^it: .*no bytes/],
  ];
  for (const [source, code, message] of refusals) await assert.rejects(decode(source), { code, message });
});

test('a file that is written again is another image, in every format', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-source-'));
  context.after(() => rm(folder, { recursive: true }));
  const plain = (red: number) =>
    sharp({ create: { width: 8, height: 8, channels: 3, background: { r: red, g: 0, b: 0 } } });
  for (const format of ['png', 'webp', 'tiff', 'gif'] as const) {
    const file = join(folder, `a.${format}`);
    for (const [at, red] of [0, 255, 0].entries()) {
      const other = join(folder, `${at}.${format}`);
      await plain(red).toFormat(format, { quality: 100 }).toFile(other);
      await copyFile(other, file);
      await utimes(file, 1, 1);
      const near = async (data: Uint8Array) =>
        assert.ok(Math.abs(data[0]! - red) < 8, `${format}: ${data[0]}`);
      await near((await decode(file)).data);
      await near(await (await shownImage(file, 8)).raw().toBuffer());
    }
  }
});
