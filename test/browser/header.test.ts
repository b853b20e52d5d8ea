/** What is taken out of a picture's file before a browser decodes it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { bare } from '../../src/browser/header.ts';

const create = { width: 40, height: 30, channels: 3, background: { r: 200, g: 60, b: 30 } } as const;

for (const format of ['jpeg', 'png', 'webp'] as const) {
  test(`${format}: no profile and no EXIF is left, and the orientation is told`, async () => {
    const coloured = sharp({ create }).withMetadata({ orientation: 6 }).withIccProfile('p3');
    const bytes = await coloured[format]().toBuffer();
    const { icc, exif } = await sharp(bytes).metadata();
    assert.ok(icc && exif);
    const { parts, orientation } = bare(new Uint8Array(bytes), format);
    assert.equal(orientation, 6);
    const left = await sharp(Buffer.concat(parts)).metadata();
    assert.ok(!left.icc?.some((byte) => byte !== 0) && !left.exif?.some((byte) => byte !== 0));
    // WebKit would convert these; their pixels are the file's own.
    const pixels = await sharp(Buffer.concat(parts)).raw().toBuffer();
    assert.ok(pixels.equals(await sharp(bytes, { ignoreIcc: true }).raw().toBuffer()));
  });
}
