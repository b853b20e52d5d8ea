/** Indexes of int8 as a user meets them: they remember how their images were encoded, and take no others. */

import assert from 'node:assert/strict';
import { access, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { indexInProcess } from '../src/indexing/index.ts';
import { Searcher } from '../src/search/index.ts';
import { openService } from '../src/service/index.ts';
import { lincir as lincirIn } from './command-line.ts';

const model = join(import.meta.dirname, 'fixtures/tiny-clip');
const house = 'photos/house-with-red-roof.png';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-int8-'));
  await cp(join(import.meta.dirname, '../examples/pictures'), join(folder, 'photos'), { recursive: true });
});
after(() => rm(folder, { recursive: true }));

const lincir = (...args: string[]) => lincirIn(args, { folder });
const statistics = async () =>
  JSON.parse((await lincir('index', '--stats', '--index', 'p.lance', '--json')).stdout);
const search = (...args: string[]) =>
  lincir('search', '--index', 'p.lance', '--image', house, '--paths', ...args);

test('an index of int8 is added to, searched and rebuilt as int8, until another precision is asked for', async () => {
  const made = await lincir('index', house, '--index', 'p.lance', '--model', model, '--precision', 'int8');
  assert.equal(made.code, 0, made.stderr);
  const added = await lincir('index', 'photos', '--index', 'p.lance');
  assert.equal(added.code, 0, added.stderr);
  const { precision, fingerprint, images } = await statistics();
  assert.deepEqual([precision, images], ['float16', 6]);
  assert.match(fingerprint, /^[0-9a-f]{16}-int8$/);
  assert.match(
    (await lincir('index', '--stats', '--index', 'p.lance')).stdout,
    /^encoded +with int8 products$/m,
  );
  const found = await search('--include-reference', '--top', '1', '--min-score', '0.9999');
  assert.match(found.stdout, /house-with-red-roof\.png$/m);

  for (const other of ['float32', 'float16']) {
    const { code, stderr } = await lincir('index', 'photos', '--index', 'p.lance', '--precision', other);
    assert.equal(code, 2);
    assert.match(
      stderr,
      /--precision: expected int8 embeddings, as the index "p\.lance" holds them, found float32 ones/,
    );
    assert.match(stderr, /use --precision int8, or rebuild: .* --index p\.lance --precision float32$/m);
  }
  await lincir('embed', '--model', model, '--images', house, '--out', 'e.safetensors');
  const mixed = await lincir('index', '--embeddings', 'e.safetensors', '--index', 'p.lance');
  assert.match(mixed.stderr, /fingerprint [0-9a-f]{16}-int8, found .* fingerprint [0-9a-f]{16};/);

  const rebuilt = await lincir('reindex', '--index', 'p.lance', '--precision', 'float32');
  assert.equal(rebuilt.code, 0, rebuilt.stderr);
  const after = await statistics();
  assert.deepEqual([after.precision, `${after.fingerprint}-int8`], ['float32', fingerprint]);

  const back = await lincir('index', 'photos', '--index', 'p.lance', '--precision', 'int8');
  assert.match(back.stderr, /--precision int8: expected float32 embeddings, .* found int8 ones/);
  assert.match(
    back.stderr,
    /leave --precision out, or rebuild: lincir reindex --index p\.lance --precision int8$/m,
  );
});

test('an index of int8 is refused on a GPU with one advice, whoever loads its model', async () => {
  await lincir('index', house, '--index', 'g.lance', '--model', model, '--precision', 'int8');
  await lincir('embed', '--model', model, '--precision', 'int8', '--images', house, '--out', 'g.npy');
  const words = ['--index', 'g.lance', '--device', 'webgpu'];
  const advice =
    /^lincir: --device webgpu: expected cpu, because the index "g\.lance" holds int8 embeddings, which only the cpu computes, found webgpu; leave --device out, or rebuild: lincir reindex --index g\.lance --precision float32$/m;
  for (const command of [
    ['index', 'photos', ...words],
    ['index', 'photos', ...words, '--precision', 'int8'],
    ['index', 'photos', ...words, '--precision', 'float32'],
    ['reindex', ...words],
    ['search', ...words, '--image', house],
  ]) {
    const { code, stderr } = await lincir(...command);
    assert.equal(code, 2);
    assert.match(stderr, advice);
  }
  const fromFile = await lincir(
    'index',
    '--embeddings',
    'g.npy',
    '--index',
    'new',
    '--model',
    model,
    '--device',
    'webgpu',
  );
  assert.match(fromFile.stderr, /because "g\.npy" holds int8 .*; leave --device out$/m);

  const [uri, device] = [join(folder, 'g.lance'), 'webgpu'] as const;
  const message = /holds int8 embeddings, which only the cpu computes/;
  await assert.rejects(Searcher.open({ index: uri, device }), { message });
  await assert.rejects(openService({ indexes: [{ name: 'g', uri }], device }), { message });
  const work = { uri, device, options: { images: [join(folder, 'photos')] } };
  await assert.rejects(Array.fromAsync(indexInProcess(work)), { message });
});

test('on a GPU, embed advises only what it takes', async () => {
  const words = ['embed', '--model', model, '--images', house, '--out', 'w.npy', '--device', 'webgpu'];
  const { stderr, code } = await lincir(...words, '--precision', 'int8');
  assert.equal(code, 2);
  assert.match(stderr, /offers here \(float32\), found 'int8'; choose one of these, or --device cpu$/m);
});

test('embeddings of int8 say so, and texts have no such precision', async () => {
  const words = ['embed', '--model', model, '--precision', 'int8', '--json'];
  const { stdout } = await lincir(...words, '--images', house, '--out', 'q.safetensors');
  assert.match(JSON.parse(stdout).fingerprint, /-int8$/);
  const texts = await lincir(...words, '--texts', '-', '--out', 't.safetensors');
  assert.match(texts.stderr, /--precision.*--images as well/);
});

test('ready embeddings join only an index of their precision, also from NumPy files', async () => {
  const embed = (out: string, ...args: string[]) =>
    lincir('embed', '--model', model, '--images', 'photos', '--out', out, ...args);
  const add = (file: string, index: string, ...args: string[]) =>
    lincir('index', '--embeddings', file, '--index', index, ...args);
  for (const format of ['safetensors', 'npy']) {
    const [float32, int8] = [`f.${format}`, `i.${format}`];
    await embed(float32);
    await embed(int8, '--precision', 'int8');
    for (const [own, other] of [
      [float32, int8],
      [int8, float32],
    ] as const) {
      const index = `${own}.lance`;
      const first = await add(other, index, '--embeddings', own, '--model', model);
      assert.match(first.stderr, /expected embeddings as the index has them/);
      await assert.rejects(
        access(join(folder, index)),
        { code: 'ENOENT' },
        'a failed command makes no index',
      );
      const made = await add(own, index, '--model', model);
      assert.equal(made.code, 0, made.stderr);
      assert.doesNotMatch(made.stderr, /on trust/);
      const mixed = await add(other, index);
      assert.equal(mixed.code, 2);
      assert.match(mixed.stderr, /expected embeddings as the index has them/);
    }
  }

  await cp(join(folder, 'i.npy'), join(folder, 'x.npy'));
  const add8 = (...args: string[]) => add('x.npy', 'i.npy.lance', '--names', 'i.names.jsonl', ...args);
  const unknown = await add8();
  assert.match(unknown.stderr, /x\.npy: expected int8 .* say so with --precision int8/);
  assert.match((await add8('--precision', 'int8')).stderr, /on trust as int8 embeddings of/);
  const trusted = await add('x.npy', 'f.npy.lance', '--names', 'i.names.jsonl');
  assert.match(trusted.stderr, /x\.npy does not say .* on trust as float32 embeddings of/);
});
