/** phi's files: written and read back, read as published, and refused where they are no phi or another model's. */

import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadClip } from '../clip/index.ts';
import { readSafetensorsHeader } from '../core/index.ts';
import {
  fileSource,
  readingFile,
  type TensorToWrite,
  writeSafetensors,
  writeTorchCheckpoint,
} from '../files/index.ts';
import { phiArchitectures } from './choices.ts';
import { expectPhiFits, type PhiInfo, phiCheckpoint, phiTensors, readPhi } from './file.ts';
import { initialPhi, type PhiParameters, type PhiShape, phiShape } from './network.ts';

const fixtures = join(import.meta.dirname, '../../test/fixtures');
const published = join(fixtures, 'phi');
const folder = await mkdtemp(join(tmpdir(), 'lincir-phi-'));
after(() => rm(folder, { recursive: true }));

const shape: PhiShape = { architecture: 'lincir', input: 6, hidden: 24, output: 8 };
const initial = initialPhi(shape, 0);

function toWrite(parameters: PhiParameters, prefix = ''): TensorToWrite[] {
  return [...parameters].map(([name, tensor]) => ({ name: prefix + name, type: 'float32', ...tensor }));
}

const readFrom = async (path: string) => await readPhi(await fileSource(path));

/** Writes safetensors and reads them as a phi. */
async function reading(tensors: readonly TensorToWrite[], metadata: Readonly<Record<string, string>> = {}) {
  const file = join(folder, 'a.safetensors');
  await writeSafetensors(file, tensors, metadata);
  return await readFrom(file);
}

test('what is written is read back to the bit', async () => {
  const file = join(folder, 'own.safetensors');
  for (const architecture of phiArchitectures) {
    const own: PhiShape = { ...shape, architecture };
    const parameters = initialPhi(own, 1);
    const fingerprint = '0123456789abcdef';
    const infos: PhiInfo[] = [
      { shape: own, model: 'owner/näme', fingerprint, l2Normalize: true, step: 0 },
      { shape: own, l2Normalize: false },
    ];
    for (const info of infos) {
      await writeSafetensors(file, ...phiTensors(info, parameters));
      assert.deepEqual(await readFrom(file), { info, parameters, file });
    }
  }
});

test('the metadata tells what the file is', async () => {
  const file = join(folder, 'own.safetensors');
  await writeSafetensors(
    file,
    ...phiTensors({ shape, model: 'base', fingerprint: 'f', l2Normalize: false, step: 1000 }, initial),
  );
  assert.deepEqual((await readingFile(file, readSafetensorsHeader)).metadata, {
    format: 'lincir-phi',
    version: '1',
    architecture: 'lincir',
    input: '6',
    hidden: '24',
    output: '8',
    model: 'base',
    fingerprint: 'f',
    l2Normalize: 'false',
    step: '1000',
  });
});

test('parameters of another shape are not written', async () => {
  const file = join(folder, 'none.safetensors');
  const other = { shape: { ...shape, output: 9 }, l2Normalize: false };
  await assert.rejects(writeSafetensors(file, ...phiTensors(other, initial)), {
    code: 'bad-argument',
    message: /layers\.6\.weight/,
  });
  const without = new Map([...initial].slice(1));
  await assert.rejects(writeSafetensors(file, ...phiTensors({ shape, l2Normalize: false }, without)), {
    code: 'bad-argument',
  });
  await assert.rejects(readFrom(file), { code: 'not-found' });
});

test("in the authors' layouts, all is read back to the bit, and other networks are refused", async () => {
  const file = join(folder, 'exported.pt');
  for (const [layout, architecture] of [
    ['lincir', 'lincir'],
    ['searle', 'lincir'],
    ['lincir', 'searle'],
    ['pic2word', 'pic2word'],
  ] as const) {
    const own: PhiShape = { ...shape, architecture };
    const info: PhiInfo = { shape: own, model: 'a/b', fingerprint: 'f', l2Normalize: true, step: 3 };
    const parameters = initialPhi(own, 2);
    await writeTorchCheckpoint(file, phiCheckpoint(info, parameters, layout));
    assert.deepEqual(await readFrom(file), { info, parameters, file });
  }
  const info: PhiInfo = { shape, l2Normalize: false };
  assert.throws(() => phiCheckpoint(info, initial, 'pic2word'), {
    code: 'bad-argument',
    message: /lincir or searle/,
  });
});

test('published files are told by their content', async () => {
  for (const name of ['lincir', 'searle', 'bare', 'pic2word']) {
    const file = join(folder, 'phi.safetensors');
    await copyFile(join(published, `${name}.pt`), file);
    const architecture = name === 'pic2word' ? name : 'lincir';
    assert.deepEqual((await readFrom(file)).info, { shape: { ...shape, architecture }, l2Normalize: false });
  }
  for (const prefix of ['', 'module.']) {
    const { info, parameters } = await reading(toWrite(initial, prefix), { format: 'pt' });
    assert.deepEqual(info, { shape, l2Normalize: false });
    assert.deepEqual(parameters, initial);
  }
});

test('what is no phi is refused by name', async () => {
  const tensors = toWrite(initial);
  const changed = (name: string, change: Partial<TensorToWrite>) =>
    tensors.map((tensor) => (tensor.name === name ? { ...tensor, ...change } : tensor));
  const filled = (sizes: readonly number[], value = 0) => ({
    shape: sizes,
    data: new Float32Array(sizes.reduce((a, b) => a * b)).fill(value),
  });
  const spoilt = (value: number) => {
    const data = initial.get('layers.3.weight')!.data.slice();
    data[17] = value;
    return changed('layers.3.weight', { data });
  };
  const integers = { type: 'int32', data: new Int32Array(24) } as const;
  const cases: readonly (readonly [tensors: readonly TensorToWrite[], message: RegExp])[] = [
    [[], /tensors such as layers\.0\.weight \(lincir\), .*layers\.0\.0\.weight \(pic2word\), found "none"/],
    [
      [{ name: 'visual.proj', type: 'uint8', ...filled([1]), data: Uint8Array.of(1) }],
      /found "visual\.proj"/,
    ],
    [tensors.slice(1), /the tensors layers\.0\.weight, .*found no layers\.0\.weight;/],
    [
      [...tensors.slice(0, 5), ...toWrite(initial, 'x.').slice(5)],
      /no layers\.6\.bias and also "x\.layers\.6\.bias"/,
    ],
    [[...tensors, { name: 'ema', type: 'float32', ...filled([1]) }], /found also "ema"/],
    [changed('layers.0.weight', filled([144])), /layers\.0\.weight: expected a matrix .*found "\[144\]"/],
    [changed('layers.0.weight', filled([24, 0])), /layers\.0\.weight: expected a matrix .*found "\[24, 0\]"/],
    [changed('layers.6.weight', filled([8193, 1])), /layers\.6\.weight: .* 1 to 8192 .*found "\[8193, 1\]"/],
    [
      changed('layers.3.weight', filled([24, 23])),
      /layers\.3\.weight: expected shape \[24, 24\], .*found "\[24, 23\]"/,
    ],
    [
      changed('layers.6.weight', filled([8, 23])),
      /layers\.6\.weight: expected shape \[8, 24\], .*found "\[8, 23\]"/,
    ],
    [
      changed('layers.0.bias', filled([24, 1])),
      /layers\.0\.bias: expected shape \[24\], .*found "\[24, 1\]"/,
    ],
    [changed('layers.0.bias', integers), /"layers\.0\.bias": expected one of float64, .*found int32/],
    [spoilt(Number.NaN), /layers\.3\.weight: expected finite values, found NaN at 17/],
    [spoilt(Number.NEGATIVE_INFINITY), /layers\.3\.weight: expected finite values, found -Infinity at 17/],
  ];
  for (const [given, message] of cases) {
    await assert.rejects(reading(given), { name: 'LincirError', code: 'bad-file', message });
  }
});

test('metadata that cannot be, or that its tensors belie, is refused', async () => {
  const file = join(folder, 'own.safetensors');
  await writeSafetensors(
    file,
    ...phiTensors({ shape, model: 'base', fingerprint: 'f', l2Normalize: false, step: 1 }, initial),
  );
  const { metadata } = await readingFile(file, readSafetensorsHeader);
  const cases: readonly (readonly [change: Record<string, string>, message: RegExp])[] = [
    [{ version: '2' }, /metadata: .*version.*a newer lincir/],
    [{ architecture: 'mlp' }, /metadata: .*architecture/],
    [{ architecture: 'pic2word' }, /found no layers\.0\.0\.weight/],
    [{ input: '-6' }, /metadata: .*input/],
    [{ output: '9' }, /lincir with 6, 24 and 8, found lincir with 6, 24 and 9/],
    [{ l2Normalize: 'yes' }, /metadata: .*l2Normalize/],
    [{ step: '1.5' }, /metadata: .*step/],
  ];
  for (const [change, message] of cases) {
    const refused = { name: 'LincirError', code: 'bad-file', message };
    await assert.rejects(reading(toWrite(initial), { ...metadata, ...change }), refused);
  }
});

test('files that hold no phi, or hold two, are refused', async () => {
  const cases: readonly (readonly [path: string, message: RegExp])[] = [
    [join(published, 'two.pt'), /one dictionary .*found several, under "Phi, Phi_ema"/],
    [join(fixtures, 'torch/checkpoint.pt'), /one dictionary .*found the keys "Phi, views, types, linear/],
    [join(fixtures, 'tiny-clip/model.safetensors'), /tensors such as layers\.0\.weight/],
    [join(fixtures, 'tiny-clip/config.json'), /safetensors, or a file that torch\.save wrote, found neither/],
  ];
  for (const [path, message] of cases) await assert.rejects(readFrom(path), { code: 'bad-file', message });
  const whole = await readFile(join(published, 'lincir.pt'));
  for (const length of [0, 3, 8, 100, whole.length - 1]) {
    const file = join(folder, 'cut.pt');
    await writeFile(file, whole.subarray(0, length));
    await assert.rejects(readFrom(file), { name: 'LincirError', code: 'bad-file' });
  }
});

test('a phi is refused with another backbone, both named', async () => {
  const tiny = await loadClip(join(fixtures, 'tiny-clip'));
  await tiny.dispose();
  const { config, fingerprint } = tiny;
  const clip = { config, fingerprint, id: 'owner/tiny', folder: 'folder' };
  const own = phiShape('lincir', config.text!);
  const phi = (info: Partial<PhiInfo>) => ({
    info: { shape: own, l2Normalize: false, ...info },
    file: 'a.pt',
  });
  expectPhiFits(phi({}), clip);
  expectPhiFits(phi({ model: 'moved', fingerprint }), clip);
  const cases: readonly (readonly [info: Partial<PhiInfo>, message: RegExp])[] = [
    [
      { model: 'base', fingerprint: 'ffff' },
      new RegExp(`"owner/tiny" .*${fingerprint}.*one for "base" .*ffff`),
    ],
    [{ shape: { ...own, input: 25 } }, /embeddings of 24 and .*does not name \(embeddings of 25 .*unknown/],
    [{ shape: { ...own, output: 33 } }, /tokens of 32 dimensions.*tokens of 33 dimensions/],
  ];
  for (const [info, message] of cases) {
    assert.throws(() => expectPhiFits(phi(info), clip), { code: 'bad-argument', message });
  }
});
