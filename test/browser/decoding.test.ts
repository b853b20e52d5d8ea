/** Pictures decoded by Chromium: the pixels and embeddings that Node's libraries give, and what it cannot decode, refused. */

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import sharp from 'sharp';
import { decodeWindow, formatOf } from '../../src/decoding/index.ts';
import { defaultMaxPixels } from '../../src/pixels/index.ts';
import { smallWindow } from './checks.ts';
import { type Engine, noBrowser, openChromium, openEngine, type Site, serveSite } from './chromium.ts';
import { expectNodesEmbeddings } from './mini.ts';

const root = join(import.meta.dirname, '../..');
const images = 'test/fixtures/images';
const formats = 'test/fixtures/formats';
/** Of 256 steps, on average: another version of Chromium may round otherwise. */
const tolerance = 0.5;

describe('pictures in Chromium', { skip: noBrowser }, () => {
  let site: Site;
  let browser: Browser;
  let engine: Engine;
  before(async () => {
    site = await serveSite();
    browser = await openChromium();
    engine = await openEngine(browser, site.url);
  });
  after(async () => {
    await browser?.close();
    site?.close();
  });

  async function expectSame(given: string | Uint8Array, name: string): Promise<void> {
    const bytes = typeof given === 'string' ? await readFile(join(root, given)) : given;
    const image = typeof given === 'string' ? { path: given } : { bytes: [...given] };
    for (const isStored of /exif|raw/i.test(name) ? [false, true] : [false]) {
      const found = await engine.ask('decode', image, { isStored });
      const expected = await decodeWindow(bytes, { ...smallWindow, isStored }, name, defaultMaxPixels);
      assert.deepEqual(found.whole, expected.whole, name);
      const difference = expected.data.reduce((sum, value, at) => sum + Math.abs(value - found.data[at]!), 0);
      assert.ok(difference < tolerance * expected.data.length, `${name} stored: ${isStored}: ${difference}`);
    }
  }

  async function expectRefused(bytes: Uint8Array, pattern: RegExp, maxPixels?: number): Promise<void> {
    const asked = engine.ask(
      'decode',
      { bytes: [...bytes] },
      { isStored: false, ...(maxPixels && { maxPixels }) },
    );
    await assert.rejects(asked, pattern);
  }

  test('every fixture that browsers decode: profiles, orientations, transparency, animations, 16 bits', async () => {
    const files = [
      ...(await readdir(join(root, images)))
        .filter((name) => /\.(png|jpg|gif|webp)$/.test(name))
        .map((name) => `${images}/${name}`),
      ...(await readdir(join(root, formats)))
        .filter((name) => name.endsWith('.bmp'))
        .map((name) => `${formats}/${name}`),
    ];
    assert.ok(files.length > 30);
    for (const file of files) await expectSame(file, file);
  });

  test('AVIF, orientations in PNG, and pictures larger than a canvas', async () => {
    const photo = sharp(join(root, images, 'large.jpg')).resize(240, 180);
    await expectSame(
      await photo.clone().avif({ quality: 80, chromaSubsampling: '4:4:4' }).toBuffer(),
      'avif',
    );
    await expectSame(await photo.clone().withMetadata({ orientation: 6 }).png().toBuffer(), 'PNG with EXIF');
    const wide = await photo.resize(9000, 40, { fit: 'fill' }).ensureAlpha(0.3).png().toBuffer();
    await expectSame(wide, 'a wide, transparent PNG');
  });

  test("the preview in a camera's raw file, turned as the file around it says", async () => {
    const preview = await readFile(join(root, images, 'rgb.jpg'));
    for (const orientation of [1, 6]) await expectSame(rawFile(preview, orientation), `raw ${orientation}`);
  });

  test('embeddings as those of pictures that Node decodes', async () => {
    await expectNodesEmbeddings(engine);
  });

  test('formats that this browser does not know: refused by their names', async () => {
    for (const name of ['plain.heic', 'plain.jp2', 'codestream.j2k', '../images/cmyk.tif']) {
      const bytes = await readFile(join(root, formats, name));
      const format = formatOf(bytes)!.toUpperCase();
      await expectRefused(
        bytes,
        new RegExp(`image: .*found ${format}, which this browser .*; save it as JPEG or PNG`),
      );
    }
  });

  test('a part of a picture, damage, and what is none', async () => {
    for (const name of ['large.jpg', 'landscape.png', 'rgba.webp', 'progressive.jpg', 'animated.gif']) {
      const bytes = await readFile(join(root, images, name));
      await expectRefused(bytes.subarray(0, 40), /bad-file image: expected a whole image, found/);
      if (name === 'animated.gif') continue; // its first frame may be whole
      await expectRefused(bytes.subarray(0, bytes.length / 2), /found a part of one: its end is missing/);
      const damaged = bytes.slice().fill(0x5a, 64, bytes.length - 16);
      await expectRefused(damaged, /bad-file image: expected/);
    }
    await expectRefused(new Uint8Array(), /found an empty file/);
    await expectRefused(new TextEncoder().encode('no picture at all'), /found an unsupported image format/);
  });

  test('a picture for which there is no memory', async () => {
    await assert.rejects(
      engine.ask('decodeWithin', `${images}/large.jpg`, 10_000),
      /large\.jpg: .*found \d+ x \d+ pixels, and no memory for them .*; shrink it/,
    );
  });

  test('too many pixels are refused by the header', async () => {
    const bytes = await readFile(join(root, images, 'landscape.png'));
    await expectRefused(bytes, /at most 4799 pixels, found a header that claims 80 x 60; shrink/, 4799);
    const bomb = Buffer.from(bytes);
    bomb.writeUInt32BE(60_000, 16);
    bomb.writeUInt32BE(60_000, 20);
    await expectRefused(bomb, /at most 200000000 pixels, found a header that claims 60000 x 60000/);
  });
});

/** DNG, as far as anyone needs it: a directory with an orientation and a version, and the preview. */
function rawFile(jpeg: Uint8Array, orientation: number): Uint8Array {
  const head = Buffer.alloc(8 + 2 + 2 * 12 + 4);
  head.write('II*\0', 'latin1');
  head.writeUInt32LE(8, 4);
  head.writeUInt16LE(2, 8);
  for (const [at, tag, type, value] of [
    [10, 0x112, 3, orientation],
    [22, 0xc612, 1, 1],
  ] as const) {
    head.writeUInt16LE(tag, at);
    head.writeUInt16LE(type, at + 2);
    head.writeUInt32LE(1, at + 4);
    head.writeUInt16LE(value, at + 8);
  }
  return Buffer.concat([head, jpeg]);
}
