/** Thumbnails: upright, small, and none where there is no image. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { fittedImage } from '../decoding/index.ts';
import { thumbnailOf } from './thumbnail.ts';

async function picture(width: number, height: number, background = '#dc281e'): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 4, background } })
    .png()
    .toBuffer();
}

test('a thumbnail is upright, on white, and no larger than its square', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-page-'));
  context.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'a.png');
  await writeFile(
    path,
    await sharp(await picture(1000, 500))
      .withMetadata({ orientation: 6 })
      .png()
      .toBuffer(),
  );
  const size = async (bytes: Uint8Array | undefined) => {
    const { format, width, height } = await sharp(bytes).metadata();
    return [format, width, height];
  };
  assert.deepEqual(await size(await thumbnailOf(path)), ['jpeg', 160, 320]);
  assert.deepEqual(await size(await thumbnailOf(path, 100)), ['jpeg', 50, 100]);
  assert.deepEqual(await size(await thumbnailOf(await picture(40, 30))), ['jpeg', 40, 30]);
  const clear = await thumbnailOf(await picture(20, 20, '#ff000000'));
  assert.deepEqual([...(await sharp(clear).raw().toBuffer()).subarray(0, 3)], [255, 255, 255]);
});

test('a thumbnail is turned as its image says, in all eight ways', async () => {
  for (let orientation = 1; orientation <= 8; orientation += 1) {
    const path = join(import.meta.dirname, `../../test/fixtures/images/exif${orientation}.jpg`);
    const shown = await (await fittedImage(path, 20)).flatten().raw().toBuffer();
    const small = { width: 20, height: 20, fit: 'inside' } as const;
    assert.deepEqual(shown, await sharp(path).autoOrient().resize(small).flatten().raw().toBuffer());
  }
});

test('what is no image has no thumbnail', async () => {
  const png = await sharp({
    create: {
      width: 300,
      height: 300,
      channels: 3,
      background: 'red',
      noise: { type: 'gaussian', mean: 128, sigma: 30 },
    },
  })
    .png()
    .toBuffer();
  const sources = [
    'no/such/file.jpg',
    import.meta.dirname,
    import.meta.filename,
    new Uint8Array(),
    png.subarray(0, 9000),
  ];
  for (const source of sources) assert.equal(await thumbnailOf(source), undefined);
  // A header that claims 60,000 x 60,000 pixels.
  png.writeUInt32BE(60_000, 16);
  png.writeUInt32BE(60_000, 20);
  assert.equal(await thumbnailOf(png), undefined);
});
