/** Preprocessing against the reference pipeline on Pillow, and every way in which an image or a config can be bad. */

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { crc32 } from 'node:zlib';
import type { ErrorCode } from '../core/index.ts';
import { preprocessImage, readPreprocessing } from './preprocess.ts';

interface Case {
  readonly file: string;
  readonly config: unknown;
  readonly targetPad?: number;
  readonly lenient?: boolean;
}

const images = join(import.meta.dirname, '../../test/fixtures/images');
const cases: Case[] = JSON.parse(await readFile(join(images, 'cases.json'), 'utf8'));
const expected = await readFile(join(images, 'expected.bin'));
const small = readPreprocessing({ size: 32, crop_size: 32 }, 'small.json');
const mean = [0.48145466, 0.4578275, 0.40821073];
const deviation = [0.26862954, 0.26130258, 0.27577711];

suite('preprocessImage equals the reference', () => {
  let offset = 0;
  for (const { file, config, targetPad, lenient } of cases) {
    const preprocessing = readPreprocessing(config, 'preprocessor_config.json');
    const area = preprocessing.crop.height * preprocessing.crop.width;
    const pixels = expected.subarray(offset, offset + area * 3); // [height, width, 3]
    offset += area * 3;
    const padding = targetPad === undefined ? '' : `, padded to ${targetPad}`;
    test(`${file}, ${JSON.stringify(config)}${padding}`, async () => {
      const values = await preprocessImage(join(images, file), preprocessing, targetPad ? { targetPad } : {});
      assert.equal(values.length, area * 3);
      let total = 0;
      for (let channel = 0; channel < 3; channel++) {
        for (let at = 0; at < area; at++) {
          const wanted = (pixels[at * 3 + channel]! / 255 - mean[channel]!) / deviation[channel]!;
          total += Math.abs(values[channel * area + at]! - wanted);
        }
      }
      const difference = total / values.length;
      assert.ok(difference < (lenient ? 0.01 : 1e-6), `mean difference ${difference}`);
    });
  }

  test('the fixtures hold nothing more', () => assert.equal(offset, expected.length));

  test('to the bit, with float32 rounding after every step', async () => {
    const whole = await readFile(join(images, 'landscape.f32'));
    const values = await preprocessImage(join(images, 'landscape.png'), small);
    assert.deepEqual(Buffer.from(values.buffer), whole);
  });
});

suite('preprocessImage', () => {
  test('takes encoded bytes and pixels, and writes into a slot of a batch', async () => {
    const path = join(images, 'landscape.png');
    const wanted = await preprocessImage(path, small);
    assert.deepEqual(await preprocessImage(await readFile(path), small), wanted);

    const batch = new Float32Array(2 * wanted.length);
    const slot = batch.subarray(wanted.length);
    assert.equal(await preprocessImage(path, small, { into: slot }), slot);
    assert.deepEqual(batch.subarray(wanted.length), wanted);
    assert.ok(batch.subarray(0, wanted.length).every((value) => value === 0));

    const white = { data: new Uint8Array(5 * 4 * 3).fill(255), width: 5, height: 4 };
    const values = await preprocessImage(white, small);
    for (let channel = 0; channel < 3; channel++) {
      const wantedValue = Math.fround((1 - mean[channel]!) / deviation[channel]!);
      const plane = values.subarray(channel * 1024, (channel + 1) * 1024);
      assert.ok(plane.every((value) => Math.abs(value - wantedValue) < 1e-6));
    }
  });

  test('pads a thread of pixels without making the canvas', async () => {
    const thread = { data: new Uint8Array(200_000 * 3).fill(255), width: 200_000, height: 1 };
    const values = await preprocessImage(thread, small, { targetPad: 1.25 });
    assert.equal(values.length, 3 * 32 * 32); // the canvas would have 32 billion pixels
  });

  const pixels = { data: new Uint8Array(12), width: 2, height: 2 };
  const badArguments = {
    'a slot of the wrong size': {
      image: pixels,
      options: { into: new Float32Array(5) },
      message: /^into: .* 5$/,
    },
    'a ratio below one': { image: pixels, options: { targetPad: 0.5 }, message: /^targetPad: / },
    'a ratio that is no number': {
      image: pixels,
      options: { targetPad: Number.NaN },
      message: /^targetPad: /,
    },
    'too few pixels': {
      image: { ...pixels, height: 3 },
      options: { name: 'shot' },
      message: /^shot: .*2 x 3$/,
    },
    'no pixels': { image: { ...pixels, width: 0 }, options: {}, message: /^image: / },
  };
  for (const [what, { image, options, message }] of Object.entries(badArguments)) {
    test(`refuses ${what}`, () =>
      assert.rejects(preprocessImage(image, small, options), { code: 'bad-argument', message }));
  }
});

suite('preprocessImage refuses files that are not whole images', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lincir-preprocess-'));
  });
  after(() => rm(folder, { recursive: true }));

  async function refused(
    name: string,
    bytes: Uint8Array | string | undefined,
    code: ErrorCode,
    found: RegExp,
  ) {
    const path = join(folder, name);
    if (bytes !== undefined) await writeFile(path, bytes);
    await assert.rejects(preprocessImage(path, small), (error: Error & { code?: unknown }) => {
      assert.equal(error.code, code);
      assert.ok(error.message.startsWith(`${path}: expected `), error.message);
      assert.match(error.message, found);
      return true;
    });
  }

  test('missing', () => refused('missing.jpg', undefined, 'not-found', /nothing there/));
  test('below a file', async () => {
    await writeFile(join(folder, 'file'), 'x');
    await refused(join('file', 'a.jpg'), undefined, 'not-found', /nothing there/);
  });
  test('a folder', () => refused('.', undefined, 'bad-file', /found a folder/));
  test('empty', () => refused('empty.jpg', '', 'bad-file', /an empty file/));
  test('text', () => refused('text.jpg', 'not an image at all', 'bad-file', /unsupported image format/));

  for (const file of [
    'rgb.jpg',
    'progressive.jpg',
    'landscape.png',
    'rgb.webp',
    'animated.gif',
    'cmyk.tif',
  ]) {
    test(`truncated: ${file}`, async () => {
      const whole = await readFile(join(images, file));
      // Of an animation only the first frame is read: cut inside it.
      const kept = Math.floor(whole.length * (file === 'animated.gif' ? 0.3 : 0.7));
      await refused(file, whole.subarray(0, kept), 'bad-file', /found ./);
    });
  }

  test('bytes of no image', async () => {
    await assert.rejects(preprocessImage(new Uint8Array(0), small), {
      code: 'bad-file',
      message: /no bytes/,
    });
    await assert.rejects(preprocessImage(new Uint8Array(99), small, { name: 'row 7' }), {
      code: 'bad-file',
      message: /^row 7: /,
    });
  });

  test('more pixels than allowed, before decoding', async () => {
    const found = /at most 200000000 pixels, found a header that claims 100000 x 100000; .*maxPixels/;
    await refused('bomb.png', pngHeader(100_000, 100_000), 'bad-file', found);
    const landscape = join(images, 'landscape.png'); // 80 x 60
    await assert.rejects(preprocessImage(landscape, small, { maxPixels: 4799 }), { code: 'bad-file' });
    await preprocessImage(landscape, small, { maxPixels: 4800 });
  });
});

suite('readPreprocessing', () => {
  const standard = {
    resize: { shortSide: 224 },
    filter: 'bicubic',
    crop: { height: 224, width: 224 },
    scale: 1 / 255,
    mean,
    deviation,
  };

  test('reads old configs, new ones, and a whole processor', () => {
    const old = { crop_size: 224, feature_extractor_type: 'CLIPFeatureExtractor', size: 224, resample: 3 };
    const current = {
      image_processor_type: 'CLIPImageProcessor',
      crop_size: { height: 224, width: 224 },
      size: { shortest_edge: 224 },
      rescale_factor: 0.00392156862745098,
      do_convert_rgb: true,
    };
    for (const json of [{}, old, current, { image_processor: current, processor_class: 'CLIPProcessor' }]) {
      assert.deepEqual(readPreprocessing(json, 'x.json'), standard);
    }
    assert.deepEqual(
      readPreprocessing({ rescale_factor: null, size: null, image_mean: null }, 'x.json'),
      standard,
    );
    const asLists = { size: [6, 5], crop_size: [4, 3], image_std: 0.5 };
    assert.deepEqual(readPreprocessing(asLists, 'x.json'), {
      ...{ ...standard, resize: { height: 6, width: 5 }, crop: { height: 4, width: 3 } },
      deviation: [0.5, 0.5, 0.5],
    });
    const withNulls = { size: { shortest_edge: 224, height: null, longest_edge: null } };
    assert.deepEqual(readPreprocessing(withNulls, 'x.json'), standard);
  });

  test('reads what is switched off', () => {
    const { resize, ...rest } = standard;
    // To Python, null is as false.
    for (const off of [false, null]) {
      const config = { do_resize: off, do_rescale: off, do_normalize: off, resample: 2 };
      assert.deepEqual(readPreprocessing(config, 'x.json'), {
        ...rest,
        filter: 'bilinear',
        scale: 1,
        mean: [0, 0, 0],
        deviation: [1, 1, 1],
      });
    }
    const fixed = readPreprocessing({ do_center_crop: false, size: { height: 6, width: 5 } }, 'x.json');
    assert.deepEqual(fixed.crop, { height: 6, width: 5 });
    assert.deepEqual(fixed.resize, { height: 6, width: 5 });
  });

  const refusals: [unknown, RegExp][] = [
    [[], /^x.json: expected an object, found \[\]$/],
    [null, /^x.json: expected an object, found null$/],
    [{ size: '224' }, /^x.json: size: expected a side, .*found "224"$/],
    [{ size: { longest_edge: 224 } }, /size: expected .*found {"longest_edge":224}$/],
    [{ size: { shortest_edge: 224, longest_edge: 300 } }, /size: expected .*found {"shortest_edge":224,/],
    [{ default_to_square: true }, /default_to_square: expected false/],
    [{ size: 0 }, /size: /],
    [{ crop_size: { height: 1e6, width: 224 } }, /crop_size: .*4096/],
    [{ resample: 1 }, /resample: expected 3 \(bicubic\) or 2 \(bilinear\), found 1$/],
    [{ do_resize: 'yes' }, /do_resize: expected true or false, found "yes"$/],
    [{ image_mean: [0.5, 0.5] }, /image_mean: expected three numbers/],
    [{ image_std: [0.5, 0, 0.5] }, /image_std: expected three positive numbers/],
    [{ rescale_factor: 0 }, /rescale_factor: /],
    [{ image_processor_type: 'SiglipImageProcessor' }, /image_processor_type: .*"SiglipImageProcessor"$/],
    [{ do_center_crop: false }, /do_center_crop: .*one size/],
    [{ image_processor: { resample: 9 } }, /resample: /],
  ];
  for (const [json, message] of refusals) {
    test(`refuses ${JSON.stringify(json)}`, () =>
      assert.throws(() => readPreprocessing(json, 'x.json'), { code: 'bad-config', message }));
  }
});

/** A PNG that claims a size and holds no pixels. */
function pngHeader(width: number, height: number): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8); // 8 bits, RGB
  const chunk = (kind: string, data: Uint8Array) => {
    const body = Buffer.concat([Buffer.from(kind), data]);
    const ends = Buffer.alloc(8);
    ends.writeUInt32BE(data.length, 0);
    ends.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
  };
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', Buffer.alloc(9)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
