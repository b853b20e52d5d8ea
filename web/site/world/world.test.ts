/** The miniature world in Chromium: answers and learning are Node's, and what goes wrong is told. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { type Clip, loadClip } from '../../../src/clip/index.ts';
import { folderFiles } from '../../../src/files/index.ts';
import {
  buildBenchmark,
  madeMiniCaptions,
  miniCaptionCount,
  miniCaptionMaker,
  miniRecipe,
} from '../../../src/mini/portable.ts';
import { renderScene } from '../../../src/mini/world/render-pixels.ts';
import { loadPhi } from '../../../src/phi/index.ts';
import { checkedSettings } from '../../../src/training/portable.ts';
import { noBrowser, openBrowser } from '../../../test/page/browser.ts';
import { search } from './asking.ts';
import { embeddingOf, type Gallery, unpackGallery } from './gallery.ts';
import { Learner } from './learner.ts';
import { packedWorld } from './pack.ts';
import { together } from './packed.ts';
import type { LearningState, SearchAnswer, World } from './protocol.ts';
import { type ServedFolder, servedWorld } from './test-page/served.ts';

const model = join(import.meta.dirname, '../../../models/mini');
/** Of scores: weights come rounded to a byte. */
const tolerance = 3e-3;
const { queries, gallery: pictures } = buildBenchmark(1, { gallery: 4000, queries: 600 });
const options = { skip: noBrowser };

let browser: Browser;
let served: ServedFolder;
let clip: Clip;
before(async () => {
  if (noBrowser) return;
  [browser, served, clip] = await Promise.all([openBrowser(), servedWorld(), loadClip(model)]);
});
after(async () => {
  await browser?.close();
  await served?.close();
  await clip?.dispose();
});

declare const openWorld: () => World;
declare let world: World;

/** A page with the world open, in a browser that remembers nothing. */
async function openPage(): Promise<Page> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(served.address);
  await reopen(page);
  return page;
}

async function reopen(page: Page): Promise<void> {
  await page.evaluate(async () => {
    Object.assign(globalThis, { world: openWorld() });
    await world.ready();
  });
}

async function packedGallery(): Promise<Gallery> {
  const packed = gunzipSync(await readFile(join(await packedWorld(), 'gallery.bin')));
  return await unpackGallery(together(packed, 1));
}

test('rankings of the benchmark are those of Node', options, async () => {
  const gallery = await packedGallery();
  const phi = await loadPhi(join(model, 'phi.safetensors'), { clip });
  const node = {
    model: clip,
    gallery,
    queries,
    phiOf: async () => ({ phi }),
    embedImage: async () => assert.fail(),
  };
  const page = await openPage();
  assert.deepEqual(await page.evaluate(() => [world.queries.length, world.pictures]), [600, pictures]);
  for (const query of [queries[5]!, queries[111]!, queries[402]!]) {
    const question = { reference: query.reference, words: query.text, top: 10 };
    const found = await page.evaluate((asked) => world.search(asked), question);
    const expected = await search(node, question);
    assert.deepEqual(found.query, query);
    expectSame(found, expected);
  }
  const alone = await page.evaluate(() => world.search({ words: 'shows a red star' }));
  assert.deepEqual(
    alone.rankings.map(({ method }) => method),
    ['text'],
  );
  const pictureAlone = await page.evaluate(() => world.search({ reference: 7 }));
  assert.deepEqual(
    pictureAlone.rankings.map(({ method }) => method),
    ['lincir', 'image'],
  );
  for (const asked of [{}, { words: '  ' }, { reference: 4001 }, { words: 'red '.repeat(100) }]) {
    await assert.rejects(
      page.evaluate((question) => world.search(question), asked),
      /expected/,
    );
  }
  await assert.rejects(
    page.evaluate(() => world.search({ words: 'red', phi: 'learning' })),
    /no step of learning/,
  );
  await phi.dispose();
  await page.context().close();
});

/** Scores are the same to the tolerance, and so is the order where they differ by more. */
function expectSame(found: SearchAnswer, expected: SearchAnswer): void {
  assert.equal(found.rankings.length, 4);
  for (const [at, { method, hits, prompt, weight }] of found.rankings.entries()) {
    const other = expected.rankings[at]!;
    assert.deepEqual([method, prompt, weight], [other.method, other.prompt, other.weight]);
    for (const [rank, hit] of hits.entries()) {
      const there = other.hits[rank]!;
      assert.ok(
        Math.abs(hit.score - there.score) < tolerance,
        `${method} ${rank}: ${hit.score}, ${there.score}`,
      );
      const same = other.hits.find(({ id }) => id === hit.id);
      assert.equal(hit.isRight, same?.isRight ?? hit.isRight);
      assert.ok(
        Math.abs((same ?? hit).score - hit.score) < tolerance,
        `${method} ${rank}: picture ${hit.id}`,
      );
    }
  }
}

test("the gallery is the vision tower's, and so is a drawing", options, async () => {
  const gallery = await packedGallery();
  const some = pictures.slice(0, 8);
  const drawn = await Promise.all(some.map(({ scene, variant }) => renderScene(scene, 64, variant)));
  const { data } = await clip.encodeImages(drawn);
  for (const [row, { id }] of some.entries()) {
    const cosine = cosineOf(data.subarray(row * 256, (row + 1) * 256), embeddingOf(gallery, id).data);
    assert.ok(cosine > 0.9999, `${id}: ${cosine}`);
  }
  const page = await openPage();
  const hits = await page.evaluate(async () => {
    const image = new Image();
    image.src = URL.createObjectURL(new Blob([world.drawing(5, 64)], { type: 'image/svg+xml' }));
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = 64;
    canvas.height = 64;
    const context = canvas.getContext('2d')!;
    context.drawImage(image, 0, 0);
    const found = [
      await world.search({ reference: context.getImageData(0, 0, 64, 64) }),
      await world.search({
        reference: await new Promise<Blob>((resolve) => canvas.toBlob((blob) => resolve(blob!))),
      }),
    ];
    return found.map(({ rankings }) => rankings.find(({ method }) => method === 'image')!.hits[0]!);
  });
  for (const { id, score } of hits) assert.ok(id === 5 && score > 0.97, `${id}: ${score}`);
  await page.context().close();
});

function cosineOf(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, at) => sum + value * y[at]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

test(
  "learning is Node's, goes on after a reload, and questions are answered meanwhile",
  options,
  async () => {
    const page = await openPage();
    await learnTo(page, 1);
    const [answer, state] = await page.evaluate(async () => {
      const found = await world.search({ reference: 5, words: 'is red', phi: 'learning' });
      await world.learn.stop();
      return [found, world.learn.state] as const;
    });
    assert.ok(answer.step! >= 1 && answer.rankings.length === 4);
    assert.deepEqual([state.phase, state.isStored, state.storageProblem], ['idle', true, undefined]);
    assert.ok(state.examples[0]!.masked.includes('$') && state.examples[0]!.error! > 0);
    assert.equal(state.losses.length, state.step);

    await page.reload();
    await reopen(page);
    await learnTo(page, state.step + 2);
    await page.evaluate(() => world.learn.stop());
    const stored = await page.evaluate(readStored);
    assert.ok(stored.step >= 3);

    const make = await miniCaptionMaker(0);
    const learner = await Learner.create({
      files: folderFiles(model),
      captions: { count: miniCaptionCount, at: make },
      settings: checkedSettings({ model: 'mini', captions: [madeMiniCaptions.name], ...miniRecipe }),
      pause: async () => {},
    });
    while (learner.step < stored.step) await learner.next();
    for (const [at, loss] of learner.losses.entries()) {
      assert.ok(
        Math.abs(loss - stored.losses[at]!) < 1e-4 * loss,
        `step ${at + 1}: ${stored.losses[at]}, ${loss}`,
      );
    }
    const expected = learner.values;
    const found = Float32Array.from(stored.values);
    const difference = expected.map((value, at) => value - found[at]!);
    assert.ok(
      lengthOf(difference) < 1e-4 * lengthOf(expected),
      `${lengthOf(difference)} of ${lengthOf(expected)}`,
    );
    await learner.dispose();

    await page.evaluate(() => world.learn.forget());
    const forgotten = await page.evaluate(() => world.learn.state);
    assert.deepEqual([forgotten.phase, forgotten.step, forgotten.losses], ['idle', 0, []]);
    assert.equal(await page.evaluate(readStored), undefined);
    await page.context().close();
  },
);

function lengthOf(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

/** Learns until so many steps are done. */
async function learnTo(page: Page, step: number): Promise<void> {
  await page.evaluate(async (wanted) => {
    await world.learn.start();
    await new Promise<void>((resolve, reject) => {
      const look = (state: LearningState) => {
        if (state.step >= wanted) resolve();
        if (state.error) reject(state.error);
      };
      world.learn.subscribe(look);
      look(world.learn.state);
    });
  }, step);
}

/** What the browser's storage has. Runs in the page. */
async function readStored() {
  const asked = indexedDB.open('lincir-world');
  await new Promise((resolve) => {
    asked.onsuccess = resolve;
  });
  const all = asked.result.transaction('runs').objectStore('runs').getAll();
  await new Promise((resolve) => {
    all.onsuccess = resolve;
  });
  asked.result.close();
  const [run] = all.result as { step: number; losses: number[]; values: Float32Array }[];
  return (run && { ...run, values: [...run.values] })!;
}

test('what another tab has learnt further stays', options, async () => {
  const page = await openPage();
  await learnTo(page, 1);
  await page.evaluate(() => world.learn.stop());
  await page.evaluate(async () => {
    const asked = indexedDB.open('lincir-world');
    await new Promise((resolve) => {
      asked.onsuccess = resolve;
    });
    const runs = asked.result.transaction('runs', 'readwrite').objectStore('runs');
    runs.openCursor().onsuccess = ({ target }) => {
      const { result: cursor } = target as IDBRequest<IDBCursorWithValue>;
      cursor.update({ ...cursor.value, step: 250 }); // as if another tab had
    };
    await new Promise((resolve) => {
      runs.transaction.oncomplete = resolve;
    });
    asked.result.close();
  });
  await learnTo(page, (await page.evaluate(() => world.learn.state.step)) + 1);
  const state = await page.evaluate(async () => {
    await world.learn.stop();
    return world.learn.state;
  });
  assert.ok(state.isStored && state.step < 250);
  assert.equal((await page.evaluate(readStored)).step, 250);
  await page.context().close();
});

test('a server without isolation: one thread, and it says so', options, async () => {
  served.isolate(false);
  const page = await openPage();
  assert.deepEqual(await page.evaluate(() => world.threads), { count: 1, why: 'not isolated' });
  await learnTo(page, 1);
  await page.evaluate(() => world.learn.stop());
  await page.context().close();
  served.isolate(true);
});

test('what does not come is told, and can come later', options, async () => {
  served.missing.add('world/phi-bytes.bin');
  await assert.rejects(openPage(), /phi-bytes\.bin: expected a file of this page, found status 404/);
  served.missing.delete('world/phi-bytes.bin');
  const page = await openPage();
  served.missing.add('world/engine.bin');
  await assert.rejects(
    page.evaluate(() => world.learn.start()),
    /engine\.bin/,
  );
  assert.equal(await page.evaluate(() => world.learn.state.phase), 'failed');
  served.missing.delete('world/engine.bin');
  await learnTo(page, 1);
  await page.evaluate(() => world.learn.stop());
  await page.context().close();

  const script = [...served.sent.keys()].find((path) => /learning-worker.*\.js$/.test(path))!;
  served.missing.add(script);
  const other = await openPage();
  await assert.rejects(
    other.evaluate(() => world.learn.start()),
    /a worker of this page/,
  );
  assert.equal(await other.evaluate(() => world.learn.state.phase), 'failed');
  const answer = await other.evaluate(() => world.search({ reference: 1, words: 'is red' }));
  assert.equal(answer.rankings.length, 4);
  served.missing.delete(script);
  await learnTo(other, 1);
  await other.context().close();
});

test('full storage: learning goes on in memory, and says so', options, async () => {
  const page = await openPage();
  const client = await page.context().newCDPSession(page);
  const origin = new URL(served.address).origin;
  await client.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1000 });
  await learnTo(page, 1);
  const state = await page.evaluate(async () => {
    await world.learn.stop();
    return world.learn.state;
  });
  assert.deepEqual([state.phase, state.isStored], ['idle', false]);
  assert.match(state.storageProblem!, /storage: expected to take what is learnt/);
  await learnTo(page, state.step + 1);
  await page.context().close();
});
