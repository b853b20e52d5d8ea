/** Updates whose facts do not fit into the memory that they may use: they do the same as others, by way of the disk. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { writePicture } from '../../test/pictures.ts';
import { all, create, picture } from '../../test/stores.ts';
import { type Clip, loadClip } from '../clip/index.ts';
import { indexPath } from '../pictures/index.ts';
import type { VectorStore } from '../store/index.ts';
import { idOf } from './new-ids.ts';
import { type UpdateOptions, type UpdateSummary, updateIndex } from './update.ts';

let clip: Clip;
let folder: string;
before(async () => {
  clip = await loadClip(join(import.meta.dirname, '../../test/fixtures/tiny-clip'));
  folder = await mkdtemp(join(tmpdir(), 'lincir-bounded-'));
  process.env.LINCIR_CACHE = join(folder, 'cache');
});
after(async () => {
  delete process.env.LINCIR_CACHE;
  await clip.dispose();
  await rm(folder, { recursive: true });
});

/** Counts that are not 0; if images are away, with what is said of it. */
async function update(store: VectorStore, options: UpdateOptions) {
  let summary: UpdateSummary | undefined;
  let away: string | undefined;
  try {
    for await (const event of updateIndex(store, clip, { ...options, followLinks: true })) {
      if (event.kind === 'end') summary = event.summary;
    }
  } catch (error) {
    away = (error as Error).message;
  }
  const { encodingSeconds: _, ...counts } = summary ?? {};
  return { ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)), away };
}

async function contents(store: VectorStore) {
  const missing = (await Array.fromAsync(store.missing())).flat().map(({ since: _, ...rest }) => rest);
  const broken = (await Array.fromAsync(store.broken())).flat();
  const byPath = (a: { path: string }, b: { path: string }) => (a.path < b.path ? -1 : 1);
  return { images: await all(store), missing: missing.sort(byPath), broken: broken.sort(byPath) };
}

describe('an update in little memory', () => {
  test('knows 20,000 images again, and needs its temporary files for it', async () => {
    const [files, links] = [200, 100];
    const [leaf, root] = [join(folder, 'leaf'), join(folder, 'root')];
    for (const path of [leaf, root]) await mkdir(path);
    for (let at = 0; at < files; at += 1) await writeFile(join(leaf, `${at}.png`), 'an image');
    for (let at = 0; at < links; at += 1) await symlink(leaf, join(root, `${at}`));
    const store = await create('memory:');
    const originals = await Promise.all(
      Array.from({ length: files }, async (_, file) => {
        const { size, mtimeMs: modified, ctimeMs } = await stat(join(leaf, `${file}.png`));
        return picture(file, { size, modified, statusChanged: ctimeMs });
      }),
    );
    for (let link = 0; link < links; link += 1) {
      const above = indexPath(join(root, `${link}`));
      await store.add(
        originals.map((original, file) => {
          const path = `${above}/${file}.png`;
          return { ...original, id: idOf(path), path, folder: above };
        }),
      );
    }
    const before = await all(store);
    const unchanged = { unchanged: files * links, away: undefined };
    for (const heldImages of [100_000, 1500]) {
      assert.deepEqual(await update(store, { images: [root], heldImages }), unchanged);
    }
    assert.deepEqual(await all(store), before);
    assert.deepEqual(await readdir(join(folder, 'cache')), []);

    process.env.LINCIR_CACHE = join(leaf, '0.png');
    assert.deepEqual(await update(store, { images: [root], heldImages: 100_000 }), unchanged);
    const { away, ...others } = await update(store, { images: [root], heldImages: 1500 });
    assert.match(away!, /0\.png: expected .*, found a file where a folder should be/);
    assert.deepEqual(others, {});
    process.env.LINCIR_CACHE = join(folder, 'cache');
    assert.deepEqual(await all(store), before);
  });

  test('does the same with renamed, gone, broken and returning images', async () => {
    const outcomes = [];
    for (const heldImages of [100_000, 7]) {
      const [leaf, root] = [join(folder, 'originals'), join(folder, 'photos')];
      for (const path of [leaf, root]) await mkdir(path, { recursive: true });
      for (let at = 0; at < 12; at += 1) await writePicture(join(leaf, `${at}.png`), at);
      const link = async (name: string) => await symlink(leaf, join(root, name));
      for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) await link(name);
      for (let at = 0; at < 8; at += 1) await writePicture(join(root, `${at}.png`), 100 + at);
      const store = await create('memory:');
      const steps: [() => Promise<unknown>, Partial<UpdateOptions>?][] = [
        [async () => {}],
        [async () => await Promise.all(['a', 'b'].map((name) => unlink(join(root, name))).concat(link('z')))],
        [async () => await unlink(join(root, 'c')), { removeMissing: true }],
        [async () => await Promise.all([0, 1].map((at) => writeFile(join(root, `${at}.png`), 'no image')))],
        [async () => await writeFile(join(root, '2.png'), await readFile(join(root, '3.png')))],
        [async () => await Promise.all([link('c'), unlink(join(root, '4.png'))])],
        [
          async () =>
            await Promise.all([0, 1, 4].map((at) => writePicture(join(root, `${at}.png`), 100 + at))),
        ],
        [async () => await unlink(join(root, '5.png')), { exclude: ['e', 'f'] }],
        [async () => {}, { removeMissing: true, keepMissingDays: 0 }],
      ];
      const seen: unknown[] = [];
      for (const [change, options] of steps) {
        await change();
        seen.push(await update(store, { images: [root], compare: 'modified', ...options, heldImages }));
        const { images, missing, broken } = await contents(store);
        const facts = images.map(({ id, path, hash: digest }) => [id, path, digest]);
        seen.push(
          facts,
          missing.map(({ id, path }) => [id, path]),
          broken.map(({ path }) => path),
        );
      }
      outcomes.push(seen);
      await rm(root, { recursive: true });
      await rm(leaf, { recursive: true });
    }
    assert.deepEqual(outcomes[1], outcomes[0]);
    const summaries = outcomes[0]!.filter((_, at) => at % 4 === 0) as Record<string, unknown>[];
    const counted = new Set(summaries.flatMap((summary) => Object.keys(summary)));
    for (const name of ['added', 'renamed', 'removed', 'kept', 'broken', 'unchanged']) {
      assert.ok(counted.has(name), `${name} in ${JSON.stringify(summaries)}`);
    }
  });
});
