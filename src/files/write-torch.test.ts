/** Checkpoints as torch.save writes them: read back by our reader. test/export.test.ts has PyTorch read them. */

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  readTensor,
  readTorchCheckpoint,
  type StoredTensor,
  sha256,
  type TorchValue,
} from '../core/index.ts';
import { fileSource, writeTorchCheckpoint } from './index.ts';

const folder = await mkdtemp(join(tmpdir(), 'lincir-torch-'));
after(() => rm(folder, { recursive: true }));

const large = { shape: [300, 1001], data: new Float32Array(300_300).map((_, at) => Math.sin(at)) };
const checkpoint = new Map<string, TorchValue>([
  ['epoch', 70_000],
  [
    'Phi',
    new Map([
      ['layers.0.weight', { shape: [2, 3], data: Float32Array.of(1, -0, 3e-45, 4, 5, 3.4e38) }],
      ['layers.0.bias', { shape: [2], data: Float32Array.of(0.1, 2) }],
      ['empty', { shape: [0, 3], data: new Float32Array() }],
      ['scalar', { shape: [], data: Float32Array.of(7) }],
      ['large', large],
    ]),
  ],
  [
    'notes',
    new Map([
      ['näme', 'a\n“b” 🙂'],
      ['', ''],
    ]),
  ],
]);

test('what is written is read back to the bit, and its tensors are aligned', async () => {
  const path = join(folder, 'a.pt');
  await writeTorchCheckpoint(path, checkpoint);
  const read = await readTorchCheckpoint(await fileSource(path));
  assert.ok(read instanceof Map);
  assert.deepEqual([...read.keys()], ['epoch', 'Phi', 'notes']);
  assert.equal(read.get('epoch'), 70_000);
  assert.deepEqual(read.get('notes'), checkpoint.get('notes'));
  for (const [name, tensor] of checkpoint.get('Phi') as Map<string, typeof large>) {
    const stored: StoredTensor = read.get('Phi').get(name);
    assert.equal(stored.offset % 64, 0, name);
    const { shape, data } = await readTensor(stored);
    assert.deepEqual(shape, tensor.shape);
    assert.deepEqual(Buffer.from(data.buffer), Buffer.from(tensor.data.buffer), name);
  }
});

test('the same values give the same bytes, whose hash is told before the file is there', async () => {
  const [first, second] = [join(folder, 'first.pt'), join(folder, 'second.pt')];
  await writeTorchCheckpoint(first, checkpoint);
  let hash = '';
  await writeTorchCheckpoint(second, checkpoint, async (told) => {
    hash = told;
    assert.ok(!(await readdir(folder)).includes('second.pt'));
  });
  const bytes = await readFile(first);
  assert.deepEqual(await readFile(second), bytes);
  const found = await sha256(new Uint8Array(bytes));
  assert.equal(hash, Buffer.from(found.buffer).toString('hex'));
});

test('if what follows fails, there is no file', async () => {
  const path = join(folder, 'none.pt');
  const failure = new Error('no');
  await assert.rejects(
    writeTorchCheckpoint(path, checkpoint, async () => {
      throw failure;
    }),
    failure,
  );
  assert.ok((await readdir(folder)).every((name) => !name.includes('none') && !name.endsWith('.tmp')));
});
