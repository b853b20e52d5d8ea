/** Indexes of int8 as a user meets them: they remember how their images were encoded, and take no others. */

import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
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
      /expected images encoded with int8 products, as the index .* found without int8 products/,
    );
    assert.match(stderr, /use the same --precision, or rebuild: lincir reindex --index p\.lance/);
  }
  await lincir('embed', '--model', model, '--images', house, '--out', 'e.safetensors');
  const mixed = await lincir('index', '--embeddings', 'e.safetensors', '--index', 'p.lance');
  assert.match(mixed.stderr, /fingerprint [0-9a-f]{16}-int8, found .* fingerprint [0-9a-f]{16};/);

  const rebuilt = await lincir('reindex', '--index', 'p.lance', '--precision', 'float32');
  assert.equal(rebuilt.code, 0, rebuilt.stderr);
  const after = await statistics();
  assert.deepEqual([after.precision, `${after.fingerprint}-int8`], ['float32', fingerprint]);
});

test('embeddings of int8 say so, and texts have no such precision', async () => {
  const words = ['embed', '--model', model, '--precision', 'int8', '--json'];
  const { stdout } = await lincir(...words, '--images', house, '--out', 'q.safetensors');
  assert.match(JSON.parse(stdout).fingerprint, /-int8$/);
  const texts = await lincir(...words, '--texts', '-', '--out', 't.safetensors');
  assert.match(texts.stderr, /--precision.*--images as well/);
});
