/** The line before an update, and the warning about a disk that is too small. */

import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadClip } from '../../clip/index.ts';
import type { Context } from '../context.ts';
import { Reporter } from '../terminal/progress.ts';
import { described, tellAhead } from './forecast.ts';

test('one line says how long it takes and what it needs', () => {
  const forecast = { images: 12_400, seconds: 7750, indexBytes: 38e6, memoryBytes: 1.9e9 };
  assert.equal(
    described(forecast, 'large', 'cpu'),
    '12,400 images to encode: about 2 h 9 min with large on this processor (1.6 images/s); 38 MB of index, 1.9 GB of memory',
  );
  assert.match(described(forecast, 'large', 'webgpu'), / with large on webgpu \(/);
});

test('a disk that is too small is told of; programs and remote indexes are not', async () => {
  const clip = await loadClip(join(import.meta.dirname, '../../../test/fixtures/tiny-clip'));
  let written = '';
  const write = (text: string) => {
    written += text;
  };
  const context = { reporter: new Reporter({ write }) } as unknown as Context;
  const work = { todo: 1e15, sample: [], precision: 'float32' } as const;
  try {
    const index = join(tmpdir(), 'not-there/yet.lance');
    await tellAhead({ index, json: true }, context).onFound?.(clip, work);
    assert.equal(written, '');
    await tellAhead({ index, model: clip.folder }, context).onFound!(clip, work);
    const [line, warning, ...others] = written.split('\n');
    assert.match(
      line!,
      /^1,000,000,000,000,000 images to encode: about .* with tiny-clip on this processor \(/,
    );
    assert.match(
      warning!,
      /^warning: .*yet\.lance: \d.*B free on its disk, of \d+ TB that indexing may take$/,
    );
    assert.deepEqual(others, ['']);
    written = '';
    await tellAhead({ index: 's3://bucket/yet.lance', model: 'tiny' }, context).onFound!(clip, work);
    assert.match(written, /^1,000,.* with tiny on this processor .*\n$/);
  } finally {
    await clip.dispose();
  }
});
