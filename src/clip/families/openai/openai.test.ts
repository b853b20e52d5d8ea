/** OpenAI's own files: what they are told from, what the shapes say, and where the tokenizer comes from. */

import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FakeHub } from '../../../../test/fake-hub.ts';
import { towerErrors } from '../../../../test/reference.ts';
import { elementCount, readTensor, readWeights } from '../../../core/index.ts';
import { folderFiles, singleFile, writeSafetensors } from '../../../files/index.ts';
import { openModel } from '../../../hub/index.ts';
import { openTokenizer } from '../../tokenizer-of.ts';
import { openTowers, readConfigOf } from '../index.ts';
import { shapesOf } from './shapes.ts';

const fixtures = join(import.meta.dirname, '../../../../test/fixtures');
const archive = join(fixtures, 'tiny-openai/ViT-tiny.pt');

async function temporary(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-openai-'));
  context.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** A file of zeros with the shapes of the archive, changed. */
async function weightsFile(
  folder: string,
  { type = 'float32', rename = (name: string): string | undefined => name } = {},
): Promise<string> {
  const path = join(folder, 'weights.safetensors');
  const tensors = await readWeights((await singleFile(archive)).single!);
  const named = [...tensors].flatMap(([name, { shape, type: own }]) => {
    const [to, kind] = [rename(name), type === 'own' ? own : 'float32'];
    const bytes = { float16: 2, int64: 8 }[kind as string] ?? 4;
    const data = new Uint8Array(bytes * elementCount(shape));
    return to === undefined ? [] : [{ name: to, type: kind, shape, data }];
  });
  await writeSafetensors(path, named as Parameters<typeof writeSafetensors>[1]);
  return path;
}

/** The archive's weights as float32, as OpenCLIP saves them, and their configuration without the activation. */
async function openClipFolder(folder: string) {
  const stored = await readWeights((await singleFile(archive)).single!);
  const tensors = [];
  for (const [name, tensor] of stored) {
    if (notes.includes(name)) continue;
    const { shape, data } = await readTensor(tensor);
    tensors.push({ name, type: 'float32' as const, shape, data });
  }
  return { config: shapesOf(stored, folder), tensors };
}

const notes = ['input_resolution', 'context_length', 'vocab_size'];
const withoutNotes = (name: string) => (notes.includes(name) ? undefined : name);

for (const budget of [1_000_000, 20]) {
  test(`a TorchScript archive as in its own library, at most ${budget} positions at once`, async () => {
    const { gradient, ...embeddings } = await towerErrors(
      join(fixtures, 'tiny-openai'),
      budget,
      {},
      'ViT-tiny.pt',
    );
    assert.deepEqual(Object.keys(embeddings), ['text', 'injected', 'image']);
    for (const [what, error] of Object.entries(embeddings)) assert.ok(error < 2e-5, `${what}: ${error}`);
    assert.ok(gradient! < 1e-4, `gradient: ${gradient}`);
  });
}

test('the shapes say what the towers are', async () => {
  const { config, family, openPreprocessing } = await openTowers(await singleFile(archive));
  assert.equal(family, 'OpenAI CLIP');
  const tower = { width: 64, heads: 1, layers: 1, feedForward: 256, activation: 'quick_gelu', epsilon: 1e-5 };
  assert.deepEqual(config.text, {
    ...tower,
    ...{ projection: 24, vocabulary: 600, positions: 16, endOfText: 'largest' },
  });
  assert.deepEqual(config.vision, { ...tower, projection: 24, imageSize: 32, patchSize: 8, channels: 3 });
  const preprocessing = await openPreprocessing?.();
  assert.deepEqual(preprocessing?.resize, { shortSide: 32 });
  assert.equal(preprocessing?.filter, 'bicubic');
});

test('a state_dict of it is known by its notes, or by what OpenAI rounds', async (context) => {
  const folder = await temporary(context);
  const activationOf = async (path: string) => (await readConfigOf(await singleFile(path)))?.text?.activation;
  assert.equal(await activationOf(await weightsFile(folder)), 'quick_gelu');
  assert.equal(
    await activationOf(await weightsFile(folder, { type: 'own', rename: withoutNotes })),
    'quick_gelu',
  );
  const ofDevices = (name: string) => (notes.includes(name) ? undefined : `module.${name}`);
  assert.equal(
    await activationOf(await weightsFile(folder, { type: 'own', rename: ofDevices })),
    'quick_gelu',
  );
});

test('weights that only look rounded as OpenAI rounds are taken as such with a remark', async (context) => {
  const folder = await temporary(context);
  const noted = await openTowers(await singleFile(archive));
  assert.deepEqual(noted.remarks, []);
  const path = await weightsFile(folder, { type: 'own', rename: withoutNotes });
  const { config, remarks } = await openTowers(await singleFile(path));
  assert.equal(config.text?.activation, 'quick_gelu');
  assert.match(remarks.join(), /taken as OpenAI's, with QuickGELU/);
  const { config: model_cfg } = await openClipFolder(folder);
  await writeFile(join(folder, 'open_clip_config.json'), JSON.stringify({ model_cfg }));
  const beside = await openTowers(await singleFile(path));
  assert.deepEqual([beside.family, beside.config.text?.activation], ['OpenCLIP', 'gelu']);
});

test("OpenAI's weights in OpenCLIP's layout are told if nothing says quick_gelu", async (context) => {
  const folder = await temporary(context);
  const { config, tensors } = await openClipFolder(folder);
  const open = async (said: object) => {
    const json = { model_cfg: { ...config, ...said } };
    await writeFile(join(folder, 'open_clip_config.json'), JSON.stringify(json));
    return await openTowers(folderFiles(folder));
  };
  await writeSafetensors(join(folder, 'open_clip_model.safetensors'), tensors);
  assert.match((await open({})).remarks.join(), /^GELU is used, because .* does not say quick_gelu\. /);
  assert.deepEqual((await open({ quick_gelu: true })).remarks, []);
  assert.deepEqual((await open({ quick_gelu: false })).remarks, []);
});

test('where nothing says the activation, the configuration beside the file does', async (context) => {
  const folder = await temporary(context);
  const path = await weightsFile(folder, { rename: withoutNotes });
  const files = await singleFile(path);
  let todo = '';
  await assert.rejects(openTowers(files), (error: Error & { problem: { todo: string } }) => {
    assert.match(error.message, /do not say which activation/);
    todo = error.problem.todo;
    return true;
  });
  const proposed = todo.slice(todo.indexOf('{'), todo.indexOf('} for') + 1);
  await writeFile(join(folder, 'open_clip_config.json'), proposed.replace('true', 'false'));
  const { family, config } = await openTowers(await singleFile(path));
  assert.equal(family, 'OpenCLIP');
  assert.equal(config.text?.activation, 'gelu');
  assert.equal(config.vision?.imageSize, 32);
});

test('what is no vision transformer of CLIP is refused by its name', async (context) => {
  const folder = await temporary(context);
  const refuses = async (rename: (name: string) => string | undefined, message: RegExp) =>
    await assert.rejects(openTowers(await singleFile(await weightsFile(folder, { rename }))), { message });
  await refuses(
    (name) => (name === 'visual.conv1.weight' ? 'visual.layer1.0.conv1.weight' : name),
    /a ResNet \(OpenAI's RN50/,
  );
  await refuses((name) => `phi.${name}`, /the weights of a CLIP, with a tensor visual\.conv1\.weight/);
  await refuses((name) => (name === 'visual.proj' ? 'visual.surplus' : name), /"visual\.surplus"/);
});

test("the tokenizer is the one beside the file, or else CLIP's from the hub", async (context) => {
  const folder = await temporary(context);
  const path = join(folder, 'ViT.pt');
  await copyFile(archive, path);
  const tokenizer = await readFile(join(fixtures, 'tiny-clip/tokenizer.json'));
  const hub = await FakeHub.start({
    id: 'openai/clip-vit-base-patch32',
    commit: 'c'.repeat(40),
    files: {
      'config.json': '{"model_type": "clip"}',
      'tokenizer.json': tokenizer,
      'model.safetensors': 'not needed',
    },
  });
  context.after(() => hub[Symbol.asyncDispose]());
  const before = { ...process.env };
  context.after(() => {
    process.env = before;
  });
  Object.assign(process.env, {
    HF_HOME: join(folder, 'home'),
    HF_ENDPOINT: hub.endpoint,
    HF_HUB_OFFLINE: '1',
  });
  const { files } = await openModel(path);
  await assert.rejects(openTokenizer(files), {
    code: 'not-found',
    message: /ViT\.pt: its tokenizer: expected tokenizer\.json beside it.*HF_HUB_OFFLINE/s,
  });
  delete process.env.HF_HUB_OFFLINE;
  const { ids } = (await openTokenizer(files)).encode('a red hat');
  assert.equal(
    hub.requests.some(({ path }) => path.endsWith('model.safetensors')),
    false,
  );
  Object.assign(process.env, { HF_HUB_OFFLINE: '1' });
  assert.deepEqual((await openTokenizer(files)).encode('a red hat').ids, ids);
  await writeFile(join(folder, 'tokenizer.json'), tokenizer);
  await rm(join(folder, 'home'), { recursive: true });
  assert.deepEqual((await openTokenizer(files)).encode('a red hat').ids, ids);
});
