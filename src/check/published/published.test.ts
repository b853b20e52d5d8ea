/** Known values: the same as transformers' for a random CLIP, pictures from a server that is a test's, and files of values. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { type Clip, loadClip } from '../../clip/index.ts';
import { LincirError, sha256 } from '../../core/index.ts';
import { checkPublished, checkRecorded } from './check.ts';
import { valuesOf } from './compare.ts';
import { recordValues } from './recorded.ts';
import { type PublishedValues, publishedValues } from './values.ts';

const root = join(import.meta.dirname, '../../..');
const picture = join(root, 'examples/pictures/red-sailboat-by-day.jpg');
const texts = ['a red sailboat', 'a photo of a dog', 'two cats'];
/** CLIPModel of transformers 5.23 in float32, with CLIPImageProcessorPil. */
const logits = [-13.782967567, 12.047010422, 21.173744202];
const softmax = [6.58333806e-16, 1.087082856e-4, 9.998912811e-1];

let clip: Clip;
before(async () => {
  clip = await loadClip(join(root, 'test/fixtures/tiny-clip'));
});
after(() => clip.dispose());

/** A folder of one's own, in which the cache is, too. */
async function ownFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-published-'));
  const { LINCIR_CACHE: present } = process.env;
  process.env.LINCIR_CACHE = join(folder, 'cache');
  context.after(async () => {
    if (present === undefined) delete process.env.LINCIR_CACHE;
    else process.env.LINCIR_CACHE = present;
    await rm(folder, { recursive: true });
  });
  return folder;
}

/** Serves bytes, and counts requests. */
async function serve(context: TestContext, bytes: Uint8Array) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url!);
    response.writeHead(request.url === '/cats.jpg' ? 200 : 404).end(bytes);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

function row(address: string, sha256?: string): PublishedValues {
  const known = { texts, values: logits, tolerance: { absolute: 1e-3, relative: 1e-4 }, source: 'a test' };
  return {
    model: 'acme/tiny',
    picture: { file: 'cats.jpg', address, ...(sha256 && { sha256 }) },
    kind: 'logits',
    ...known,
  };
}

test("logits and probabilities are transformers'", async () => {
  const near = (found: number[], expected: number[]) =>
    found.forEach((value, at) => {
      assert.ok(Math.abs(value - expected[at]!) < 1e-4 * (1 + Math.abs(expected[at]!)), `${value}`);
    });
  near(await valuesOf(clip, picture, texts, 'logits'), logits);
  near(await valuesOf(clip, picture, texts, 'softmax'), softmax);
  near(
    await valuesOf(clip, picture, texts, 'sigmoid'),
    logits.map((logit) => 1 / (1 + Math.exp(-logit))),
  );
  near(
    await valuesOf(clip, picture, texts, 'cosines'),
    logits.map((logit) => logit / 100),
  );
});

test('a picture is downloaded once, and kept', async (context) => {
  await ownFolder(context);
  const { address, asked } = await serve(context, await readFile(picture));
  for (let time = 0; time < 2; time += 1) {
    const [checked, ...others] = await checkPublished(clip, 'acme/tiny', {}, [row(`${address}/cats.jpg`)]);
    assert.equal(others.length, 0);
    assert.equal(checked!.problem, undefined);
    assert.deepEqual(
      checked!.values.map(({ text, isSame }) => [text, isSame]),
      texts.map((text) => [text, true]),
    );
  }
  assert.deepEqual(asked, ['/cats.jpg']);
  assert.deepEqual(await checkPublished(clip, 'acme/other', {}, [row(address)]), []);
});

test('another picture is refused; a missing one is told of, and offline nothing is asked for', async (context) => {
  await ownFolder(context);
  const { address, asked } = await serve(context, await readFile(picture));
  const wrong = row(`${address}/cats.jpg`, '0'.repeat(64));
  await assert.rejects(checkPublished(clip, 'acme/tiny', {}, [wrong]), /SHA-256 0{64}, found [0-9a-f]{64}/);
  const right = row(`${address}/cats.jpg`, hex(await sha256(new Uint8Array(await readFile(picture)))));
  const gone = row(`${address}/gone.jpg`);
  const checked = await checkPublished(clip, 'acme/tiny', {}, [
    { ...gone, picture: { ...gone.picture, file: 'gone.jpg' } },
    right,
  ]);
  assert.match(checked[0]!.problem!.message, /HTTP status 404; .*`pictures`/);
  assert.deepEqual([checked[0]!.values.length, checked[1]!.values.length], [0, 3]);
  const before = asked.length;
  process.env.HF_HUB_OFFLINE = '1';
  context.after(() => delete process.env.HF_HUB_OFFLINE);
  const offline = { ...gone, picture: { ...gone.picture, file: 'offline.jpg' } };
  const [silent] = await checkPublished(clip, 'acme/tiny', {}, [offline]);
  assert.match(silent!.problem!.message, /HF_HUB_OFFLINE/);
  assert.equal(asked.length, before);
});

test('a folder of pictures needs no network', async (context) => {
  const folder = await ownFolder(context);
  await copyFile(picture, join(folder, 'cats.jpg'));
  const rows = [row('http://127.0.0.1:1/cats.jpg')];
  const [checked] = await checkPublished(clip, 'acme/tiny', { pictures: folder }, rows);
  assert.ok(checked!.values.every(({ isSame }) => isSame));
  const [empty] = await checkPublished(clip, 'acme/tiny', { pictures: join(folder, 'none') }, rows);
  assert.match(empty!.problem!.message, /cats\.jpg.*no such file/);
});

test('a difference beyond the tolerance is one', async (context) => {
  const folder = await ownFolder(context);
  await copyFile(picture, join(folder, 'cats.jpg'));
  const off = [logits[0]! + 1e-3, logits[1]! - 0.01, Number.NaN];
  const rows = [{ ...row(''), values: off }];
  const [checked] = await checkPublished(clip, 'acme/tiny', { pictures: folder }, rows);
  assert.deepEqual(
    checked!.values.map(({ isSame }) => isSame),
    [true, false, false],
  );
});

test('what is recorded is read again, for this model and these pictures alone', async (context) => {
  const folder = await ownFolder(context);
  const file = join(folder, 'mine.json');
  const copy = join(folder, 'boat.jpg');
  await copyFile(picture, copy);
  await recordValues(file, clip, [copy], 'this test');
  const [checked] = await checkRecorded(clip, file);
  assert.equal(checked!.source, 'this test');
  assert.ok(checked!.values.length >= 3 && checked!.values.every(({ isSame }) => isSame));
  const recorded = JSON.parse(await readFile(file, 'utf8'));
  assert.equal(recorded.values[0].picture, 'boat.jpg');
  const write = (change: object) =>
    writeFile(file, JSON.stringify({ version: 1, values: [{ ...recorded.values[0], ...change }] }));
  await write({ fingerprint: 'another' });
  await assert.rejects(checkRecorded(clip, file), /values of .*, found .*another/);
  await write({ values: [1] });
  await assert.rejects(checkRecorded(clip, file), /a value for each text/);
  await write({});
  await copyFile(join(root, 'examples/pictures/black-cat-indoors.webp'), copy);
  await assert.rejects(checkRecorded(clip, file), (error) => {
    assert.ok(error instanceof LincirError && error.code === 'bad-file');
    assert.match(error.message, /boat\.jpg: expected the picture that was recorded/);
    return true;
  });
});

test('every published value has a text, a source and a picture', () => {
  for (const { model, picture, texts, values, kind, source } of publishedValues) {
    assert.equal(texts.length, values.length, model);
    assert.ok(URL.canParse(source.split(' ')[0]!) && URL.canParse(picture.address), model);
    assert.match(picture.file, /^[\w.-]+$/);
    if (picture.sha256 !== undefined) assert.match(picture.sha256, /^[0-9a-f]{64}$/);
    const sum = values.reduce((all, value) => all + value, 0);
    if (kind === 'softmax') assert.ok(Math.abs(sum - 1) < 2e-3, `${model}: ${sum}`);
  }
});

function hex(bytes: DataView): string {
  return Buffer.from(bytes.buffer).toString('hex');
}
