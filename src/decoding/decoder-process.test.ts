/** Images that would keep a decoder busy, or fill the memory, are given up; the next one is decoded. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { crc32, deflateSync } from 'node:zlib';
import { defaultMaxPixels } from '../pixels/index.ts';
import { decodeImage } from './decode.ts';

const images = join(import.meta.dirname, '../../test/fixtures/images');
const decode = (bytes: Uint8Array) => decodeImage(bytes, 'it', defaultMaxPixels);
const svg = (inside: string, side = 10_000) =>
  Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}">${inside}</svg>`);

suite('what takes too much', () => {
  const noise = '<feTurbulence numOctaves="1000" baseFrequency="0.5"/>'.repeat(500);
  test('a drawing of noise', () =>
    assert.rejects(
      decode(svg(`<filter id="f">${noise}</filter><rect filter="url(#f)" width="100%" height="100%"/>`)),
      {
        code: 'bad-file',
        message: 'it: expected an image that takes at most 5 seconds to decode, found one that takes longer',
      },
    ));

  test('an image of two lines, a hundred million pixels long', () =>
    assert.rejects(decode(wide(100_000_000, 2)), {
      code: 'bad-file',
      message:
        /^it: expected an image that takes at most 600 MB to decode, found one that takes more; .*`maxPixels`/,
    }));

  test('the next image is decoded', async () => {
    const { width, height } = await decode(svg('<rect width="10" height="10"/>', 100));
    assert.deepEqual([width, height], [100, 100]);
    const { data } = await decode(await readFile(join(images, 'cmyk.tif')));
    assert.ok(data.length > 0);
  });
});

test('a large drawing is drawn smaller', async () => {
  const { data, width, height } = await decode(svg('<rect width="10000" height="10000" fill="#f00"/>'));
  assert.deepEqual([width, height], [2000, 2000]);
  assert.deepEqual([...data.subarray(0, 3)], [255, 0, 0]);
});

test('what another process says of a damaged image names it', async () => {
  const whole = await readFile(join(images, 'cmyk.tif'));
  await assert.rejects(decode(whole.subarray(0, whole.length / 2)), {
    code: 'bad-file',
    message: /^it: expected a whole image/,
  });
});

/** A grey PNG. */
function wide(width: number, height: number): Uint8Array {
  const chunk = (type: string, data: Uint8Array) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  const lines = deflateSync(Buffer.alloc((width + 1) * height));
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', lines),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
