/** The clients of clip-retrieval as they are published: its Python client and its web front, in a browser. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { clipRetrieval } from './package.ts';
import { serveFiles, serveWorld, type World } from './world.ts';

const found = await clipRetrieval();
const noPackage = typeof found === 'string' ? found : false;
const browserPath = process.env.LINCIR_TEST_CHROMIUM ?? '/usr/bin/chromium';
const noBrowser = noPackage || (existsSync(browserPath) ? false : `${browserPath} is not there`);
const { front, python } = typeof found === 'string' ? { front: '', python: async () => [] } : found;
const count = 130;

interface Result {
  readonly id: string;
  readonly similarity: number;
  readonly url?: string;
  readonly caption?: string;
  readonly image_path?: string;
}

let folder: string;
let world: World;
let origin: string;
let files: Server;
before(async () => {
  if (noPackage) return;
  folder = await mkdtemp(join(tmpdir(), 'lincir-clip-retrieval-'));
  ({ origin, files } = await serveFiles(front));
  world = await serveWorld(folder, count, [origin]);
});
after(async () => {
  if (noPackage) return;
  await world.close();
  await new Promise((resolve) => files.close(resolve));
  await rm(folder, { recursive: true });
});

const scope = () => ({ signal: new AbortController().signal, deadline: performance.now() + 60_000 });

describe('the Python client', { skip: noPackage }, () => {
  const ask = async (query: object, options: object = {}) =>
    (await python(
      'print(json.dumps(ClipClient(given["url"], "world", **given["options"]).query(**given["query"])))',
      { url: `${world.server.url}knn-service`, query, options },
    )) as Result[];

  test('finds images by text', async () => {
    const results = await ask({ text: 'two red stars' });
    const expected = await world.service.search({ text: 'two red stars', limit: 40 }, scope());
    assert.equal(results[0]!.id, expected.images[0]!.id);
    assert.ok(results.length > 30 && results.length <= 40);
    for (const { url, caption, image_path: path } of results) {
      assert.match(caption!, /^scene \d+$/);
      assert.equal(path, world.picture(Number(caption!.slice(6))));
      assert.ok(url!.startsWith(world.server.url));
    }
    const picture = await fetch(results[0]!.url!);
    assert.equal(picture.headers.get('content-type'), 'image/jpeg');
    assert.ok((await picture.arrayBuffer()).byteLength > 500);
  });

  test('finds images by image: a file, and the address of a result', async () => {
    const byFile = await ask({ image: world.picture(17) }, { deduplicate: false, num_images: 100 });
    assert.equal(byFile.length, 100);
    assert.equal(byFile[0]!.caption, 'scene 17');
    assert.ok(byFile[0]!.similarity > 0.99);
    const byAddress = await ask({ image: byFile[3]!.url });
    assert.equal(byAddress[0]!.id, byFile[3]!.id);
  });

  test('finds images by a vector, as the demo of LinCIR sends it', async () => {
    // It composes the vector itself, does not normalise it, and shows what is at each `url`.
    const query = { images: [{ id: (await ask({ text: 'a blue moon' }))[0]!.id }], text: 'a red sun' };
    const { vector } = await world.service.compose({ ...query, method: 'sum' }, scope());
    const results = await ask({ embedding_input: vector.map((value) => 8 * value) }, { deduplicate: false });
    const expected = await world.service.search(
      { ...query, method: 'sum', limit: 40, includeReferences: true },
      scope(),
    );
    assert.deepEqual(
      results.map(({ id }) => id),
      expected.images.map(({ id }) => id),
    );
    assert.ok(Math.abs(results[0]!.similarity - 8 * expected.images[0]!.score) < 1e-4);
    for (const { url } of results.slice(0, 3)) assert.equal((await fetch(url!)).status, 200);
  });

  test('understands errors', async () => {
    const answer = (await ask({ image: 'http://127.0.0.1:9/none.png' })) as unknown as { message: string };
    assert.match(answer.message, /image by its web address/);
  });
});

describe('the web front', { skip: noBrowser }, () => {
  let browser: Browser;
  let page: Page;
  /** How many results there are without near duplicates. */
  let unique: number;
  /** Of how many images the front has asked for metadata, each time. */
  const metadata: number[] = [];
  const errors: string[] = [];
  before(async () => {
    if (noBrowser) return;
    browser = await chromium.launch({
      executablePath: browserPath,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'],
    });
    page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => {
      // The front itself lacks files.
      const isOurs = !message.location().url.startsWith(origin);
      if (message.type() === 'error' && isOurs) errors.push(message.text());
    });
    page.on('request', (request) => {
      if (request.url().endsWith('/metadata')) metadata.push(request.postDataJSON().ids.length);
    });
    page.setDefaultTimeout(20_000);
    await page.goto(`${origin}/?back=${encodeURIComponent(world.server.url)}`);
  });
  after(async () => {
    await browser?.close();
  });
  const shot = async (name: string) => {
    const { LINCIR_TEST_SCREENSHOTS: to } = process.env;
    if (to) await page.screenshot({ path: join(to, `knn-${name}.png`) });
  };
  const pictures = () => page.locator('#products img.pic');
  /** Captions of the pictures that are shown, once `some` of them are there and loaded. */
  const captions = async (some: number): Promise<string[]> => {
    await pictures()
      .nth(some - 1)
      .waitFor();
    await page.waitForFunction(
      `[...document.querySelector('clip-front').shadowRoot.querySelectorAll('img.pic')].every((one) => one.naturalWidth > 0)`,
    );
    return (await page.locator('#products figcaption').allInnerTexts()).map((text) => text.trim());
  };
  /** Does something, and waits for the answer to the query that it causes. */
  const asked = async (act: () => Promise<unknown>): Promise<Result[]> => {
    const waiting = page.waitForResponse((response) => response.url().endsWith('/knn-service'));
    await act();
    const response = await waiting;
    assert.equal(response.status(), 200, await response.text());
    return (await response.json()) as Result[];
  };

  test('lists the indexes and shows what a text finds', async () => {
    await page.locator('select option', { hasText: 'world' }).first().waitFor({ state: 'attached' });
    await page.locator('#searchBar').fill('two red stars');
    const results = await asked(() => page.locator('#searchBar').press('Enter'));
    unique = results.length;
    assert.ok(unique > 80 && unique < count, `${unique}, without near duplicates`);
    assert.equal(results.filter(({ url }) => url !== undefined).length, 40);
    const shown = await captions(40);
    assert.equal(shown[0], results[0]!.caption);
    await shot('text');
  });

  test('gets the others in forties while one scrolls', async () => {
    await page.mouse.wheel(0, 20_000);
    const shown = await captions(unique);
    assert.ok(shown.every((caption) => /^scene \d+$/.test(caption)));
    // At the end it may ask for none, once more.
    assert.deepEqual(
      metadata.filter((ids) => ids > 0),
      [40, unique - 80],
    );
    await shot('scrolled');
  });

  test('finds similar images to a result', async () => {
    await page.evaluate('window.scrollTo(0, 0)');
    const figure = page.locator('#products figure').nth(2);
    const caption = (await figure.locator('figcaption').innerText()).trim();
    await figure.hover();
    const results = await asked(() => figure.locator('.subImageSearch').click());
    assert.equal(results[0]!.caption, caption);
    assert.ok(results[0]!.similarity > 0.999);
    assert.equal((await captions(40))[0], caption);
    await shot('similar');
  });

  test('finds images by the caption of a result', async () => {
    const figure = page.locator('#products figure').nth(1);
    await figure.hover();
    await asked(() => figure.locator('.subTextSearch').click());
    assert.match(await page.locator('#searchBar').inputValue(), /^scene \d+$/);
  });

  test('finds the image of an upload', async () => {
    const results = await asked(() => page.locator('#filechooser').setInputFiles(world.picture(42)));
    assert.equal(results[0]!.caption, 'scene 42');
    assert.equal((await captions(40))[0], 'scene 42');
    await shot('upload');
  });

  test('shows near duplicates when asked', async () => {
    const results = await asked(() => page.getByLabel('Hide (near) duplicate images').click());
    assert.equal(results.length, count);
    assert.deepEqual(errors, []);
  });
});
