/** Tests of what a run reads back: exactly what it wrote, and each other thing refused with the file's name. */

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  initialState,
  type RunConfig,
  readRunConfig,
  readState,
  writeRunConfig,
  writeState,
} from './run-folder.ts';
import { checkedSettings } from './settings.ts';

const folder = await mkdtemp(join(tmpdir(), 'lincir-run-'));
after(() => rm(folder, { recursive: true }));

const settings = checkedSettings({ model: 'mini', captions: ['a.txt'], ema: true });
const shape = { architecture: 'lincir', input: 2, hidden: 8, output: 4 } as const;
const [stateFile, configFile] = [join(folder, 'state.safetensors'), join(folder, 'config.json')];

interface Entry {
  dtype: string;
  shape: number[];
}

/** Writes the state with another header in front of the same data. */
async function changeHeader(
  change: (header: Record<string, Entry> & { __metadata__: Record<string, string> }) => void,
) {
  await writeState(folder, {
    ...initialState(shape, settings),
    step: 3,
    seconds: 1.5,
    best: { step: 2, score: 0.5 },
  });
  const bytes = await readFile(stateFile);
  const length = Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length));
  change(header);
  const json = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(json.length));
  await writeFile(stateFile, Buffer.concat([size, json, bytes.subarray(8 + length)]));
}

test('a state comes back as it was written', async () => {
  await changeHeader(() => {});
  const { parameters } = initialState(shape, settings);
  const state = await readState(folder, shape, settings);
  assert.deepEqual(
    { ...state, parameters: state.parameters.values, moments: 0, average: 0 },
    {
      ...{ step: 3, seconds: 1.5, best: { step: 2, score: 0.5 }, moments: 0, average: 0 },
      parameters: parameters.values,
    },
  );
});

test('tensors of another type, shape or name are refused, also where their bytes are as many', async () => {
  const count = initialState(shape, settings).parameters.values.length;
  const changes: readonly (readonly [(tensors: Record<string, Entry>) => void, RegExp])[] = [
    [
      ({ parameters }) => Object.assign(parameters!, { dtype: 'F64', shape: [count / 2] }),
      /parameters.*float64/,
    ],
    [
      ({ first }) => Object.assign(first!, { dtype: 'I32' }),
      /tensor first: expected float32 \[\d+\], found "int32/,
    ],
    [({ second }) => Object.assign(second!, { dtype: 'F16', shape: [2 * count] }), /second.*float16/],
    [({ average }) => Object.assign(average!, { shape: [2, count / 2] }), /average.*found "float32 \[2, /],
  ];
  assert.equal(count % 2, 0);
  for (const [change, message] of changes) {
    await changeHeader(change);
    await assert.rejects(readState(folder, shape, settings), { code: 'bad-file', message });
  }
  await changeHeader(() => {});
  const message = /state\.safetensors: expected the tensors parameters, first, second, found also "average"/;
  await assert.rejects(readState(folder, shape, { ...settings, ema: false }), { code: 'bad-file', message });
});

test('metadata that are no state are refused by field', async () => {
  for (const best of ['{', '5', '{"step": 1}', '']) {
    await changeHeader(({ __metadata__ }) => Object.assign(__metadata__, { best }));
    const message = /state\.safetensors: __metadata__: best/;
    await assert.rejects(readState(folder, shape, settings), { code: 'bad-file', message });
  }
  await changeHeader(({ __metadata__ }) => Object.assign(__metadata__, { step: '-1' }));
  await assert.rejects(readState(folder, shape, settings), {
    code: 'bad-file',
    message: /__metadata__: step/,
  });
});

test('a configuration comes back, and a phi of no size that can be is refused', async () => {
  const model = { id: null, folder: 'models/mini', fingerprint: 'f' };
  const config: RunConfig = { settings, model, phi: shape, captions: [], versions: {}, begun: 'today' };
  await writeRunConfig(folder, config);
  assert.deepEqual({ ...config, ...(await readRunConfig(folder)) }, await readRunConfig(folder));
  const placeholder = { word: '$', id: 259 };
  await writeRunConfig(folder, { ...config, placeholder });
  assert.deepEqual((await readRunConfig(folder)).placeholder, placeholder);
  await writeRunConfig(folder, { ...config, phi: { ...shape, hidden: 2e9 } });
  await assert.rejects(readRunConfig(folder), {
    code: 'bad-file',
    message: `${configFile}: phi: hidden: expected at most 8192, found 2000000000; put back what the run wrote there`,
  });
});
