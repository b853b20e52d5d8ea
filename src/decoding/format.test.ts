/** Formats by their contents: the image of test/fixtures/formats in all of them, and raw images made here. */

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import sharp from 'sharp';
import { defaultMaxPixels, type RgbImage, uprightRows } from '../pixels/index.ts';
import { decodeImage, shownImage } from './decode.ts';
import { formatOf, type ImageFormat } from './format.ts';

const folder = join(import.meta.dirname, '../../test/fixtures/formats');
const decode = (bytes: Uint8Array) => decodeImage(bytes, 'it', defaultMaxPixels);
const colours = [
  [230, 20, 20],
  [20, 20, 230],
  [20, 180, 20],
  [255, 255, 255],
];
const greys = [83, 43, 114, 255].map((grey) => [grey, grey, grey]);

/** The colours in the middle of the quarters, upright. */
function quarters(image: RgbImage): number[][] {
  const { width, height, row } = uprightRows(image);
  return [0.25, 0.75].flatMap((down) =>
    [0.25, 0.75].map((across) => {
      const x = Math.floor(width * across);
      return [...row(Math.floor(height * down), x, x + 1)];
    }),
  );
}

function assertNear(found: number[][], wanted: number[][], within: number): void {
  const differences = found.flat().map((value, at) => Math.abs(value - wanted.flat()[at]!));
  assert.ok(Math.max(...differences) <= within, `${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
}

suite('formats that libvips does not read', async () => {
  for (const name of await readdir(folder)) {
    test(name, async () => {
      const bytes = await readFile(join(folder, name));
      assert.equal(formatOf(bytes), name.split('.').at(-1));
      const image = await decode(bytes);
      const scale = name === 'phone.heic' ? 4 : 1;
      assert.deepEqual([image.width, image.height], [96 * scale, 64 * scale]);
      const isExact = ['plain.jp2', 'codestream.j2k', 'plain.bmp', 'plain.jxl', 'alpha.bmp'].includes(name);
      assertNear(quarters(image), name === 'grey.heic' ? greys : colours, isExact ? 0 : 12);
    });
  }

  test('thumbnails have their transparency', async () => {
    for (const ending of ['heic', 'jp2', 'jxl']) {
      const image = await shownImage(join(folder, `alpha.${ending}`), 48);
      const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
      assert.deepEqual([info.width, info.height, info.channels], [48, 32, 4], ending);
      assert.deepEqual([data[3], data[(31 * 48 + 47) * 4 + 3]], [255, 0], ending);
    }
  });

  test('damaged ones are refused by name', async () => {
    for (const name of ['plain.heic', 'plain.jp2', 'plain.bmp', 'alpha.jxl']) {
      const bytes = await readFile(join(folder, name));
      const found = { code: 'bad-file', message: /^it: expected a whole image, found ./ };
      await assert.rejects(decode(bytes.subarray(0, bytes.length * 0.6)), found, name);
    }
  });

  test('more pixels than allowed are refused', async () => {
    const bytes = await readFile(join(folder, 'plain.heic'));
    await assert.rejects(decodeImage(bytes, 'it', 6143), {
      message: /^it: expected an image of at most 6143 pixels/,
    });
  });
});

suite("cameras' raw images", async () => {
  const pixels = Buffer.from(
    [0.25, 0.75].flatMap((y) => [0.25, 0.75].flatMap((x) => colours[(y > 0.5 ? 2 : 0) + (x > 0.5 ? 1 : 0)]!)),
  );
  const upright = sharp(pixels, { raw: { width: 2, height: 2, channels: 3 } });
  const jpeg = (width: number, height: number, angle: number) =>
    upright
      .clone()
      .rotate(angle)
      .resize(width, height, { kernel: 'nearest' })
      .jpeg({ quality: 95, chromaSubsampling: '4:4:4' });
  const small = await jpeg(24, 32, 270).toBuffer();
  const lying = await jpeg(64, 96, 270).toBuffer();

  /** TIFF whose second folder holds a sensor's data, as a mark before the magic number may say too. */
  const tiff = (photometric: number, magic = 'II*\0') => {
    const entry = (tag: number, type: number, value: number) => {
      const bytes = Buffer.alloc(12);
      bytes.writeUInt16LE(tag, 0);
      bytes.writeUInt16LE(type, 2);
      bytes.writeUInt32LE(1, 4);
      bytes.writeUInt32LE(value, 8);
      return bytes;
    };
    const directory = (...entries: Buffer[]) =>
      Buffer.concat([Buffer.from([entries.length, 0]), ...entries, Buffer.alloc(4)]);
    const first = directory(entry(0x112, 3, 6), entry(0x14a, 4, 8 + 2 + 2 * 12 + 4));
    const begin = Buffer.concat([Buffer.from(magic, 'latin1'), Buffer.from([8, 0, 0, 0])]);
    return Buffer.concat([
      begin,
      first,
      directory(entry(0x106, 3, photometric)),
      small,
      lying,
      Buffer.alloc(99),
    ]);
  };
  const box = (type: string, ...parts: Uint8Array[]) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(parts.reduce((sum, part) => sum + part.length, 8));
    return Buffer.concat([length, Buffer.from(type, 'latin1'), ...parts]);
  };
  const withExif = await upright
    .clone()
    .rotate(270)
    .resize(64, 96, { kernel: 'nearest' })
    .withMetadata({ orientation: 6 })
    .jpeg({ quality: 95 })
    .toBuffer();
  const files: Record<string, Buffer> = {
    'TIFF with a sensor (NEF, ARW, PEF, SRW)': tiff(32803),
    'TIFF with linear light (DNG)': tiff(34892),
    ORF: tiff(2, 'IIRO'),
    RW2: tiff(2, 'IIU\0'),
    CR3: Buffer.concat([
      box('ftyp', Buffer.from('crx \0\0\0\x01crx isom')),
      box('moov', box('CMT1', tiff(2).subarray(0, 60))),
      box('mdat', small, lying),
    ]),
    RAF: Buffer.concat([Buffer.from('FUJIFILMCCD-RAW 0201'), Buffer.alloc(80), withExif, Buffer.alloc(99)]),
  };
  for (const [name, bytes] of Object.entries(files)) {
    test(name, async () => {
      assert.equal(formatOf(bytes), 'raw');
      const image = await decode(bytes);
      assert.deepEqual([image.width, image.height, image.orientation], [64, 96, 6]);
      assertNear(quarters(image), colours, 12);
      const shown = await (await shownImage(bytes, 96)).raw().toBuffer({ resolveWithObject: true });
      assert.deepEqual([shown.info.width, shown.info.height], [96, 64]);
      assertNear([[...shown.data.subarray(0, 3)]], [colours[0]!], 12);
    });
  }

  test('without a preview', () =>
    assert.rejects(decode(tiff(32803).subarray(0, 60)), {
      code: 'bad-file',
      message: "it: expected a whole image, found a camera's raw image without a preview",
    }));
  test('a TIFF that only holds images is none', () => assert.equal(formatOf(tiff(2)), 'tiff'));
});

test('what is no image, and what only begins like one', () => {
  const texts: Record<string, ImageFormat | undefined> = {
    '': undefined,
    BM: undefined,
    'BM is how this text begins, and it goes on': undefined,
    '<html><body>an svg</body></html>': undefined,
    '\ufeff <?xml version="1.0"?><!-- x --><svg:svg xmlns:svg="…">': 'svg',
    'II*\0': 'tiff',
    '\0\0\0\x18ftypisom\0\0\0\0mp42': undefined,
  };
  for (const [text, format] of Object.entries(texts)) assert.equal(formatOf(Buffer.from(text)), format, text);
});
