/** Indexing that is killed at random moments: nothing committed is lost, nothing is there twice, and it goes on. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import sharp from 'sharp';
import { loadClip } from '../src/clip/index.ts';
import { sequence, uniforms } from '../src/core/index.ts';
import { backendOf, type IndexedImage } from '../src/store/index.ts';
import { lincir, start } from './command-line.ts';

const model = join(import.meta.dirname, 'fixtures/tiny-clip');
const count = 1000;
const kills = 30;

test(`${count} images, ${kills} kills: none lost, none doubled`, async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-kills-'));
  context.after(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'photos'));
  for (let number = 0; number < count; number += 1) {
    const noise = uniforms({ seed: number, purpose: 'noise', moment: 0, row: 0 }, 32 * 32 * 3);
    const image = sharp(
      Uint8Array.from(noise, (value) => value * 256),
      {
        raw: { width: 32, height: 32, channels: 3 },
      },
    );
    await writeFile(join(folder, 'photos', `${number}.png`), await image.png().toBuffer());
  }
  let round = 0;
  const uri = () => `index-${round}.lance`;
  const args = () => ['index', 'photos', '--index', uri(), '--model', model];
  const { backend } = await backendOf('index.lance');
  const committed = async (): Promise<Map<string, IndexedImage>> => {
    const store = await backend.open(join(folder, uri()), 'read').catch(() => undefined);
    const pictures = store ? (await Array.fromAsync(store.images())).flat() : [];
    await store?.close();
    assert.equal(new Set(pictures.map(({ path }) => path)).size, pictures.length, 'an image is there twice');
    return new Map(pictures.map((picture) => [picture.path, picture]));
  };
  const random = sequence({ seed: 4, purpose: 'order', moment: 0, row: 0 });

  let before = new Map<string, IndexedImage>();
  const stages: number[] = [];
  for (let kill = 0; kill < kills; kill += 1) {
    const child = start(args(), { folder });
    const ended = once(child, 'close');
    await Promise.race([ended, pause(500 + random() * 1900)]);
    child.kill('SIGKILL');
    await ended;
    const now = await committed();
    for (const [path, picture] of before)
      assert.deepEqual(now.get(path), picture, `${path} is lost or changed`);
    stages.push(now.size);
    before = now;
    if (now.size < count) continue;
    round += 1; // All are in: on with a new index.
    before = new Map();
  }
  context.diagnostic(`committed after each kill: ${stages.join(' ')}`);

  const { code, stderr } = await lincir(args(), { folder });
  assert.equal(code, 0, stderr);
  const all = await committed();
  assert.equal(all.size, count);
  for (const [path, picture] of before) assert.deepEqual(all.get(path), picture);
  const store = await backend.open(join(folder, uri()), 'read');
  const clip = await loadClip(model);
  for (const number of [0, 1, 499, 998, 999]) {
    const path = join(folder, 'photos', `${number}.png`);
    const [found] = await store.find('path', [path]);
    const { data } = await clip.encodeImages([path], { normalize: true });
    assert.ok(data.every((value, at) => Math.abs(value - found!.vector[at]!) < 1e-5));
  }
  await clip.dispose();
  await store.close();
});
