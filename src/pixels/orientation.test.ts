/** Every orientation of EXIF, as sharp turns images too. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { uprightRows } from './orientation.ts';

const [width, height] = [5, 70];
const data = Uint8Array.from({ length: width * height * 3 }, (_, at) => (at * 7) % 251);

for (let orientation = 1; orientation <= 8; orientation += 1) {
  test(`orientation ${orientation}`, async () => {
    const stored = sharp(data, { raw: { width, height, channels: 3 } });
    const file = await stored.withMetadata({ orientation }).png().toBuffer();
    const wanted = await sharp(file, { autoOrient: true }).raw().toBuffer({ resolveWithObject: true });
    const upright = uprightRows({ data, width, height, orientation });
    assert.deepEqual([upright.width, upright.height], [wanted.info.width, wanted.info.height]);
    const line = upright.width * 3;
    for (let y = 0; y < upright.height; y += 1) {
      const row = wanted.data.subarray(y * line, (y + 1) * line);
      assert.deepEqual([...upright.row(y, 0, upright.width)], [...row], `row ${y}`);
      assert.deepEqual([...upright.row(y, 2, 4)], [...row.subarray(6, 12)], `part of row ${y}`);
    }
  });
}
