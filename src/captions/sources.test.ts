/** Which files a user's words mean, on disk and on the hub, and how often their captions count. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { refused, setUp } from '../../test/hub-setup.ts';
import { type CaptionSource, findCaptionSources } from './sources.ts';

const fixtures = join(import.meta.dirname, '../../test/fixtures/captions');
const commit = 'c'.repeat(40);
const files = ['b.txt', 'a.TXT', 'notes.md', 'more/c.jsonl', 'more/d [1].txt'];

let folder: string;
before(async () => {
  folder = (await mkdtemp(join(tmpdir(), 'lincir-sources-'))).replaceAll('\\', '/');
  await mkdir(join(folder, 'more'));
  for (const name of files) await writeFile(join(folder, name), '"a caption"\n');
  await writeFile(join(folder, 'empty.csv'), '');
});
after(() => rm(folder, { recursive: true }));

const find = (...specs: string[]) => findCaptionSources(specs.map((spec) => `${folder}/${spec}`));

/** What is found below the folder: names, and weights that are not 1. */
async function found(...specs: string[]): Promise<string[]> {
  return (await find(...specs)).map(({ name, weight, bytes }) => {
    assert.equal(bytes, 12);
    return `${name.slice(folder.length + 1)}${weight === 1 ? '' : ` x ${weight}`}`;
  });
}

const captionsOf = async (source: CaptionSource | undefined) =>
  (await Array.fromAsync(source!.captions({ onLeftOut: () => {} }))).flat();

/** A hub with the same Parquet file as two parts of each of these data sets. */
async function hubWith(context: TestContext, ...ids: string[]) {
  const { hub, options } = await setUp(context, []);
  const bytes = await readFile(join(fixtures, 'zstd.parquet'));
  for (const id of ids) {
    const names = ['default/train/0001.parquet', 'default/train/0000.parquet', 'default/test/0000.parquet'];
    const dataset = {
      id,
      commit,
      files: Object.fromEntries(names.map((name) => [name, bytes])),
      large: names,
    };
    hub.datasets.set(`${id}@refs/convert/parquet`, dataset);
    hub.datasets.set(`${id}@v1`, { ...dataset, commit: 'b'.repeat(40) });
  }
  const { environment = {} } = options;
  return { hub, options: { environment }, bytes: bytes.length };
}

test('a file, a pattern, and weights', async () => {
  assert.deepEqual(await found('b.txt', 'a.TXT'), ['b.txt', 'a.TXT']);
  assert.deepEqual(await found('b.txt:2', 'a.TXT:0.5'), ['b.txt x 2', 'a.TXT x 0.5']);
  assert.deepEqual(await found('**/*.{jsonl,txt}:3'), [
    'b.txt x 3',
    'more/c.jsonl x 3',
    'more/d [1].txt x 3',
  ]);
  const [source] = await find('more/*.jsonl:3');
  assert.equal(source?.origin, `${folder}/more/*.jsonl`);
  assert.deepEqual(await captionsOf(source), ['a caption']);
});

test('a file has another version where its captions may be others', async () => {
  const path = join(folder, 'more/c.jsonl');
  const versionFor = async (...columns: string[]) =>
    (await findCaptionSources([path], { columns }))[0]?.version;
  const first = await versionFor('text');
  assert.equal(await versionFor('text'), first);
  assert.notEqual(await versionFor('caption'), first);
  await utimes(path, 1, 1);
  assert.notEqual(await versionFor('text'), first);
});

test('a file is itself, whatever its name looks like', async () => {
  assert.deepEqual(await found('more/d [1].txt:2'), ['more/d [1].txt x 2']);
  if (process.platform === 'win32') return; // A colon cannot be in a name there.
  const path = join(folder, 'b.txt:2');
  await writeFile(path, '"a caption"\n');
  await refused(find('b.txt:2'), 'bad-argument', /b\.txt:2: expected captions in a file whose name ends/);
  await rm(path);
});

test('weights that cannot be are refused', async () => {
  for (const weight of ['0', '0.0', '1001', '99999']) {
    await refused(find(`b.txt:${weight}`), 'bad-argument', /weight above 0 and at most 1000, found /);
  }
});

test('what names nothing is told of', async () => {
  await refused(find('c.txt'), 'not-found', /c\.txt: expected a file of captions, .*found no such file/);
  await refused(find('b.txt:2x'), 'not-found', /no such file/);
  await refused(find('more'), 'not-found', /found a folder; name its files, as in ".*more\/\*\.txt"/);
  await refused(findCaptionSources(['https://acme.org/a.txt']), 'bad-argument', /download it/);
});

test('formats that are not known are refused with those that are', async () => {
  await refused(
    find('notes.md'),
    'bad-argument',
    /notes\.md: .*\.txt, \.jsonl, .*\.parquet, found another name/,
  );
  await refused(find('b.txt', 'no*'), 'bad-argument', /notes\.md/);
});

test('a file without a byte is refused', async () => {
  await refused(
    find('empty.csv'),
    'bad-file',
    /empty\.csv: expected at least one caption, found an empty file/,
  );
});

test('a file that is named twice is refused', async () => {
  await refused(
    find('b.txt', '*.txt'),
    'bad-argument',
    /b\.txt: expected every file once, .*"[^"]*\/b\.txt:2"/,
  );
  await refused(find('b.txt', './more/../b.txt:3'), 'bad-argument', /every file once/);
  await symlink(join(folder, 'b.txt'), join(folder, 'more/link.txt'));
  await refused(find('b.txt', 'more/link.txt'), 'bad-argument', /link\.txt: .*every file once/);
  await rm(join(folder, 'more/link.txt'));
});

test('a data set of the hub is the files of its training split', async (context) => {
  const { hub, options, bytes } = await hubWith(context, 'acme/captions');
  const sources = await findCaptionSources(['hf://datasets/acme/captions:0.25'], options);
  const expected = [0, 1].map((part) => ({
    name: `hf://datasets/acme/captions@${commit}/default/train/000${part}.parquet`,
    origin: 'hf://datasets/acme/captions',
    weight: 0.25,
    bytes,
  }));
  assert.deepEqual(
    sources.map(({ captions, version, ...source }) => source),
    expected,
  );
  const rows: (string | null)[] = JSON.parse(await readFile(join(fixtures, 'rows.json'), 'utf8'));
  assert.deepEqual(
    await captionsOf(sources[1]),
    rows.filter((row) => row?.trim()),
  );
  const ranges = hub.requests.filter(({ host, range }) => host === 'storage' && range).length;
  assert.equal(ranges, 2);

  const [tagged] = await findCaptionSources(['hf://datasets/acme/captions@v1:2'], options);
  assert.match(tagged?.name ?? '', /@b{40}\//);
  assert.deepEqual([tagged?.origin, tagged?.weight], ['hf://datasets/acme/captions@v1', 2]);
  await refused(
    findCaptionSources(['hf://datasets/acme/captions', 'hf://datasets/acme/captions:2'], options),
    'bad-argument',
    /every file once/,
  );
  await refused(findCaptionSources(['hf://datasets/captions'], options), 'bad-argument', /OWNER\/NAME/);
});

test("the authors' data sets have a short name, and a column of their own", async (context) => {
  const ids = [
    'dangne/gcc_caption_only',
    'FredZhang7/stable-diffusion-prompts-2.47M',
    'Geonmo/midjourney-prompts-only',
  ];
  const { options } = await hubWith(context, ...ids);
  const sources = await findCaptionSources(['lincir:2'], { ...options, columns: ['caption'] });
  assert.deepEqual(
    sources.map(({ name, origin, weight }) => [name.split('@')[0], origin, weight]),
    ids.flatMap((id) => Array(2).fill([`hf://datasets/${id}`, 'lincir', 2])),
  );
  assert.equal((await captionsOf(sources[5])).length, 28);
});

test('reading stops at a signal', async () => {
  const [source] = await find('b.txt');
  const signal = AbortSignal.abort(new Error('enough'));
  await assert.rejects(Array.fromAsync(source!.captions({ onLeftOut: () => {}, signal })), /enough/);
});
