/** Preprocessing of real photos, to the bit against digests of the reference, where the photos are there. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { preprocessImage, readPreprocessing } from '../../src/clip/preprocess.ts';

const photos = join(import.meta.dirname, '../../../shared/data/photos');
const skip = existsSync(photos) ? false : 'no photos here';

test('every photo equals the reference on Pillow', { skip }, async () => {
  const digestsFile = join(import.meta.dirname, '../fixtures/photos.json');
  const digests: Record<string, string> = JSON.parse(await readFile(digestsFile, 'utf8'));
  assert.ok(Object.keys(digests).length > 0);
  const preprocessing = readPreprocessing({}, 'defaults');
  for (const [photo, digest] of Object.entries(digests)) {
    const values = await preprocessImage(join(photos, photo), preprocessing);
    assert.equal(createHash('sha256').update(values).digest('hex'), digest, photo);
  }
});
