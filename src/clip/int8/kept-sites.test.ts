/** A model's scales for int8 are kept: the next load takes them, to the bit, unless they are damaged or of another model. */

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { RandomAccess } from '../../core/index.ts';
import { loadClip } from '../clip.ts';
import { readSites, sitesBytes } from './kept-sites.ts';
import { calibrationPictures } from './pictures.ts';
import type { Site } from './sites.ts';

const model = join(import.meta.dirname, '../../../test/fixtures/tiny-clip');
const pictures = calibrationPictures(9).slice(8);

let cache: string;
before(async () => {
  cache = await mkdtemp(join(tmpdir(), 'lincir-kept-'));
  process.env.LINCIR_CACHE = cache;
});
after(async () => {
  await rm(cache, { recursive: true });
});

async function embedded(): Promise<{ data: Float32Array; exact: readonly string[] }> {
  const clip = await loadClip(model, { precision: 'int8' });
  const { data } = await clip.encodeImages(pictures);
  const exact = await clip.exactProducts();
  await clip.dispose();
  return { data, exact };
}

const files = async () => (await readdir(join(cache, 'int8-1'))).map((name) => join(cache, 'int8-1', name));

test('the next load takes what is kept, and gives the same to the bit', async () => {
  const first = await embedded();
  const [file, ...others] = await files();
  assert.deepEqual(others, []);
  assert.deepEqual(await embedded(), first);

  const whole = await readFile(file!);
  const { config, sites } = await sitesIn(whole);
  const doubled = sites.map((site): Site => {
    const { step, zero } = site.scales.grid;
    return { ...site, scales: { ...site.scales, grid: { step: 4 * step, zero } } };
  });
  await writeFile(file!, sitesBytes(doubled));
  assert.notDeepEqual((await embedded()).data, first.data, 'they are taken from the file');
  await writeFile(file!, sitesBytes(sites.slice(1)));
  assert.deepEqual((await embedded()).exact, sites[0]!.products.slice(0, 1));

  for (const damaged of [whole.subarray(0, -4), Buffer.alloc(0), sitesBytes(withNaN(sites))]) {
    await writeFile(file!, damaged);
    assert.deepEqual(await embedded(), first);
    assert.deepEqual(await readFile(file!), whole, 'it is kept again');
  }
  const narrow = { ...config, width: config.width - 1 };
  await assert.rejects(readSites(memory(whole), narrow, 127), { code: 'bad-file' });
});

test('a cache that cannot be written is none', async () => {
  const wanted = await embedded();
  process.env.LINCIR_CACHE = join(import.meta.filename, 'none');
  assert.deepEqual(await embedded(), wanted);
  process.env.LINCIR_CACHE = cache;
});

async function sitesIn(bytes: Uint8Array) {
  const clip = await loadClip(model);
  const { visionConfig: config } = clip;
  await clip.dispose();
  return { config, sites: await readSites(memory(bytes), config, 127) };
}

function withNaN([first, ...others]: readonly Site[]): Site[] {
  return [{ ...first!, mean: first!.mean.map(() => Number.NaN) }, ...others];
}

function memory(bytes: Uint8Array): RandomAccess {
  const read = async (offset: number, length: number) =>
    Uint8Array.from(bytes.subarray(offset, offset + length));
  return { name: 'kept', size: bytes.length, read };
}
