/** One's own benchmarks: what the files may say, how it is scored, and that every bad line is found. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LincirError } from '../../core/index.ts';
import type { OpenBenchmarkOptions } from '../benchmark.ts';
import { openBenchmark } from '../open.ts';
import { custom } from './custom.ts';

const pictures = ['images/a.jpg', 'images/b.jpg', 'images/sub/c.png'];

/** A folder with these files, and the three images. */
async function folderOf(context: TestContext, files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-custom-'));
  context.after(() => rm(folder, { recursive: true }));
  const all = { ...Object.fromEntries(pictures.map((path) => [path, 'not looked at'])), ...files };
  for (const [path, text] of Object.entries(all)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

const first = { reference: 'images/a.jpg', text: 'is red', targets: ['images/b.jpg'] };
const lines = (...queries: unknown[]) => queries.map((query) => `${JSON.stringify(query)}\n`).join('');

async function opened(
  context: TestContext,
  queries: string,
  files: Record<string, string> = {},
  options: OpenBenchmarkOptions = {},
) {
  return await custom.open(await folderOf(context, { 'queries.jsonl': queries, ...files }), options);
}

function refuses(code: string, ...parts: string[]) {
  return (error: unknown) => {
    assert.ok(error instanceof LincirError && error.code === code, String(error));
    for (const part of parts) assert.ok(error.message.includes(part), `${error.message} lacks ${part}`);
    return true;
  };
}

test('the gallery is every image in and under images', async (context) => {
  const files = { 'images/notes.txt': '', 'images/.hidden.jpg': '', 'others/d.jpg': '' };
  const folder = await folderOf(context, { ...files, 'queries.jsonl': lines(first) });
  await symlink(join(folder, 'others'), join(folder, 'images', 'link'));
  const benchmark = await custom.open(folder, {});
  assert.deepEqual(benchmark.galleries, new Map([['all', pictures]]));
  assert.deepEqual(
    benchmark.images,
    pictures.map((id) => ({ id, path: join(folder, id) })),
  );
  assert.deepEqual(benchmark.queries, [
    {
      id: '1',
      reference: 'images/a.jpg',
      texts: ['is red'],
      gallery: 'all',
      exclude: ['images/a.jpg'],
      targets: ['images/b.jpg'],
      groups: [],
    },
  ]);
  assert.deepEqual(benchmark.prompt, { composed: 'a photo of $ that {text}', text: '{text}' });
});

test('a list of the gallery stands above the folder', async (context) => {
  const gallery = './images/sub/../b.jpg\r\n\n far/x.jpg\n';
  const benchmark = await opened(context, lines(first), { 'gallery.txt': gallery });
  assert.deepEqual(benchmark.galleries.get('all'), ['images/b.jpg', ' far/x.jpg']);
  assert.deepEqual(benchmark.queries[0]?.exclude, []);
  assert.deepEqual(
    benchmark.images.map(({ id }) => id),
    ['images/b.jpg', ' far/x.jpg', 'images/a.jpg'],
  );
});

test('lines may name the query, its groups and candidates; empty ones are none', async (context) => {
  const second = {
    id: 'warm',
    reference: 'elsewhere/r.jpg',
    text: '  is warmer ',
    targets: ['images/./b.jpg'],
    candidates: ['elsewhere/s.jpg', 'images/b.jpg'],
    groups: ['colour', 'light'],
  };
  const third = { ...first, targets: ['images/a.jpg'] };
  const benchmark = await opened(context, `\uFEFF${lines(first)}\n${lines(second, third).trimEnd()}`);
  const [, warm, itself] = benchmark.queries;
  assert.deepEqual(warm, {
    id: 'warm',
    reference: 'elsewhere/r.jpg',
    texts: ['is warmer'],
    targets: ['images/b.jpg'],
    candidates: ['elsewhere/s.jpg', 'images/b.jpg'],
    groups: ['colour', 'light'],
  });
  assert.deepEqual([itself?.id, itself?.exclude], ['4', []]);
  const ids = benchmark.images.map(({ id }) => id);
  assert.deepEqual(ids, [...pictures, 'elsewhere/r.jpg', 'elsewhere/s.jpg']);
});

test('names match in every form of Unicode, and files that differ in nothing else stay apart', async (context) => {
  const [nfc, nfd] = ['images/\u00e9.jpg', 'images/e\u0301.jpg'];
  const queries = lines(
    { ...first, reference: nfc, targets: ['images/u\u0308/\u00f6.jpg'] },
    { ...first, reference: nfd, targets: ['images/b.jpg'], candidates: ['images/b.jpg', nfc] },
  );
  const files = { [nfd]: '', 'images/u\u0308/o\u0308.jpg': '' };
  const folder = await folderOf(context, { 'queries.jsonl': queries, ...files });
  const opened = await openBenchmark('custom', folder);
  const inner = 'images/u\u0308/o\u0308.jpg';
  assert.deepEqual(opened.galleries.get('all'), [...pictures.slice(0, 2), nfd, pictures[2], inner]);
  assert.deepEqual(
    opened.queries.map(({ reference, targets, candidates }) => [reference, targets, candidates]),
    [
      [nfd, [inner], undefined],
      [nfd, ['images/b.jpg'], ['images/b.jpg', nfd]],
    ],
  );
  assert.ok(opened.images.every(({ id, path }) => path === join(folder, id)));
  await writeFile(join(folder, nfc), '');
  if ((await readdir(join(folder, 'images'))).filter((name) => name.normalize() === '\u00e9.jpg').length < 2)
    return;
  const apart = await custom.open(folder, {});
  assert.deepEqual(
    apart.queries.map(({ reference }) => reference),
    [nfc, nfd],
  );
});

test('where all have candidates, no gallery is needed', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-custom-'));
  context.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'queries.jsonl');
  await writeFile(path, lines({ ...first, candidates: ['images/b.jpg', 'c.jpg'] }));
  assert.equal((await custom.open(folder, {})).galleries.size, 0);
  await writeFile(path, lines(first));
  await assert.rejects(custom.open(folder, {}), refuses('not-found', folder, 'gallery.txt'));
  await mkdir(join(folder, 'images'));
  await assert.rejects(custom.open(folder, {}), refuses('bad-file', join(folder, 'images'), 'found none'));
});

test('scores are recalls of any target and precision over all', async (context) => {
  const targets = ['images/b.jpg', 'images/sub/c.png'];
  const benchmark = await opened(
    context,
    lines({ ...first, targets }, { ...first, targets, candidates: targets }),
  );
  assert.deepEqual(benchmark.metrics, ['R@1', 'R@5', 'R@10', 'R@50', 'mAP@10']);
  const ranked = (...ranks: number[]) =>
    Array.from({ length: 50 }, (_, at) => targets[ranks.indexOf(at + 1)] ?? `${at}`);
  const [query, among] = benchmark.queries;
  const scores = (...ranks: number[]) =>
    Object.values(benchmark.score(query!, { gallery: ranked(...ranks), candidates: [] }));
  assert.deepEqual(scores(1, 2), [1, 1, 1, 1, 1]);
  assert.deepEqual(scores(2, 8), [0, 1, 1, 1, (1 / 2 + 2 / 8) / 2]);
  assert.deepEqual(scores(10, 11), [0, 0, 1, 1, 1 / 10 / 2]);
  assert.deepEqual(scores(50), [0, 0, 0, 1, 0]);
  assert.deepEqual(scores(), [0, 0, 0, 0, 0]);
  const swapped = Object.values(benchmark.score(among!, { candidates: targets.toReversed() }));
  assert.deepEqual(swapped, [1, 1, 1, 1, 1]);
});

test('of more targets than ten, ten can be found', async (context) => {
  const targets = Array.from({ length: 12 }, (_, at) => `images/${at}.jpg`);
  const benchmark = await opened(context, lines({ ...first, targets, candidates: targets }));
  assert.equal(benchmark.score(benchmark.queries[0]!, { candidates: targets })['mAP@10'], 1);
});

test('a bad line is refused by its number and field', async (context) => {
  const cases: [unknown, ...string[]][] = [
    ['not an object', 'no keys but id, reference'],
    [{ ...first, target: 'images/b.jpg' }, 'no keys but id, reference'],
    [{ ...first, reference: undefined }, 'line 2: reference', 'the path of an image'],
    [{ ...first, reference: '../a.jpg' }, 'line 2: reference', 'within the folder'],
    [{ ...first, reference: '/etc/passwd' }, 'line 2: reference', 'within the folder'],
    [{ ...first, reference: '.' }, 'line 2: reference'],
    [{ ...first, text: ' ' }, 'line 2: text'],
    [{ ...first, text: 'like $ in red' }, 'line 2: text', 'without $'],
    [{ ...first, targets: [] }, 'line 2: targets'],
    [{ ...first, targets: ['images/b.jpg', 'images//b.jpg'] }, 'line 2: targets', 'twice'],
    [{ ...first, targets: ['images/x.jpg'] }, 'line 2: targets', 'gallery', 'images/x.jpg'],
    [{ ...first, candidates: [] }, 'line 2: candidates'],
    [{ ...first, candidates: ['images/a.jpg', 'images/a.jpg'] }, 'line 2: candidates', 'twice'],
    [{ ...first, candidates: ['images/a.jpg'] }, 'line 2: targets', 'candidates', 'images/b.jpg'],
    [{ ...first, id: '1' }, 'line 2: id', 'as on line 1'],
    [{ ...first, id: 3 }, 'line 2: id'],
    [{ ...first, groups: 'colour' }, 'line 2: groups'],
  ];
  for (const [query, ...parts] of cases) {
    await assert.rejects(
      opened(context, lines(first, query)),
      refuses('bad-file', 'queries.jsonl: line 2', ...parts),
    );
  }
  const broken = `${lines(first)}\n{"reference": \n`;
  await assert.rejects(opened(context, broken), refuses('bad-file', 'queries.jsonl: line 3'));
  await assert.rejects(opened(context, '\n'), refuses('bad-file', 'queries.jsonl'));
});

test('a bad line of the gallery is refused by its number', async (context) => {
  const open = (gallery: string) => opened(context, lines(first), { 'gallery.txt': gallery });
  await assert.rejects(
    open('images/b.jpg\n\nimages//b.jpg\n'),
    refuses('bad-file', 'line 3', 'as on line 1'),
  );
  await assert.rejects(open('images/b.jpg\n../x.jpg\n'), refuses('bad-file', 'gallery.txt: line 2'));
  await assert.rejects(open('\n'), refuses('bad-file', 'gallery.txt'));
});

test('there are no splits, variants and parts', async (context) => {
  for (const options of [{ split: 'val' }, { variant: 'x' }, { only: ['x'] }]) {
    await assert.rejects(opened(context, lines(first), {}, options), refuses('bad-argument'));
  }
  const missing = join(tmpdir(), 'lincir-no-such-folder');
  await assert.rejects(custom.open(missing, {}), refuses('not-found', 'queries.jsonl'));
});
