/** Tests of finding the weights in model folders. */

import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { memoryFiles } from '../../test/fuzz/memory-file.ts';
import { folderFiles, writeSafetensors } from '../files/index.ts';
import { openCheckpoint } from './checkpoint.ts';

const root = await realpath(await mkdtemp(join(tmpdir(), 'lincir-checkpoint-')));
after(() => rm(root, { recursive: true }));

async function newFolder(name: string): Promise<string> {
  await mkdir(join(root, name));
  return join(root, name);
}

const writeTensor = (path: string, name: string) =>
  writeSafetensors(path, [{ name, type: 'float32', shape: [1], data: Float32Array.of(1) }]);

const writeIndex = (folder: string, index: unknown) =>
  writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify(index));

test('one file is preferred to shards, and safetensors to PyTorch', async () => {
  const folder = await newFolder('preferred');
  const torch = join(import.meta.dirname, '../../test/fixtures/torch/state_dict.bin');
  await copyFile(torch, join(folder, 'pytorch_model.bin'));
  assert.deepEqual([...(await openCheckpoint(folderFiles(folder))).tensors.keys()], ['weight', 'bias']);

  await writeTensor(join(folder, 'a.safetensors'), 'a');
  await writeTensor(join(folder, 'b.safetensors'), 'b');
  await writeIndex(folder, { metadata: {}, weight_map: { a: 'a.safetensors', b: 'b.safetensors' } });
  const sharded = await openCheckpoint(folderFiles(folder));
  assert.deepEqual([...sharded.tensors.keys()], ['a', 'b']);
  assert.deepEqual(
    Array.from(sharded.tensors.values(), ({ source }) => source.realPath),
    [join(folder, 'a.safetensors'), join(folder, 'b.safetensors')],
  );

  await writeTensor(join(folder, 'model.safetensors'), 'whole');
  const { tensors } = await openCheckpoint(folderFiles(folder));
  assert.deepEqual([...tensors.keys()], ['whole']);
  assert.equal(tensors.get('whole')?.source.realPath, join(folder, 'model.safetensors'));
});

test('a link that leads nowhere is passed over', async () => {
  const folder = await newFolder('dangling');
  const torch = join(import.meta.dirname, '../../test/fixtures/torch/state_dict.bin');
  await copyFile(torch, join(folder, 'pytorch_model.bin'));
  await symlink(join(folder, 'gone'), join(folder, 'model.safetensors'));
  assert.deepEqual([...(await openCheckpoint(folderFiles(folder))).tensors.keys()], ['weight', 'bias']);
});

test('a folder without weights is told what was looked for', async () => {
  const folder = await newFolder('empty');
  const names =
    /model\.safetensors, model\.safetensors\.index\.json, pytorch_model\.bin, pytorch_model\.bin\.index\.json/;
  await assert.rejects(openCheckpoint(folderFiles(folder)), { code: 'not-found', message: names });
  await writeFile(join(folder, 'model.ckpt'), '');
  await assert.rejects(openCheckpoint(folderFiles(folder)), {
    code: 'not-found',
    message: /found "model\.ckpt"/,
  });
  await assert.rejects(openCheckpoint(folderFiles(join(folder, 'no'))), {
    code: 'not-found',
    message: /no such file or folder/,
  });
  await assert.rejects(openCheckpoint(folderFiles(join(folder, 'model.ckpt'))), { code: 'not-found' });
});

test('a model that is not on disk is told what was looked for', async () => {
  const files = memoryFiles(new Map([['model.ckpt', new Uint8Array()]]));
  await assert.rejects(openCheckpoint(files), {
    code: 'not-found',
    message: /^memory: expected one of .*, found none;/,
  });
});

test('an index must keep its promises, within its folder', async () => {
  const folder = await newFolder('index');
  await writeTensor(join(folder, 'a.safetensors'), 'a');
  const refuses = async (index: unknown, expected: { code: string; message: RegExp }) => {
    await writeIndex(folder, index);
    await assert.rejects(openCheckpoint(folderFiles(folder)), expected);
  };
  await refuses({}, { code: 'bad-file', message: /index\.json: weight_map: expected a weight_map/ });
  await refuses(
    { weight_map: { a: 1 } },
    { code: 'bad-file', message: /weight_map: a: expected string, found 1$/ },
  );
  await refuses({ weight_map: { a: 'b.safetensors' } }, { code: 'not-found', message: /b\.safetensors/ });
  await refuses(
    { weight_map: { b: 'a.safetensors' } },
    { code: 'bad-file', message: /"b": expected it in "a\.safetensors"/ },
  );
  for (const shard of [
    '',
    '.',
    '..',
    '../index/a.safetensors',
    join(folder, 'a.safetensors'),
    'x\\a',
    'c:a',
    'a\0',
  ]) {
    await refuses(
      { weight_map: { a: shard } },
      { code: 'bad-file', message: /"a": expected a file in the same folder/ },
    );
  }
});
