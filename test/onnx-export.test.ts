/** Models as ONNX files: other runtimes compute with them what lincir computes, from plain ids and pictures. */

import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import * as ort from 'onnxruntime-node';
import { openTowers, plainTowersInOne } from '../src/clip/index.ts';
import { type Float32Tensor, readTensor } from '../src/core/index.ts';
import { folderFiles, writeSafetensors, writeTorchCheckpoint } from '../src/files/index.ts';
import { compose, exportOnnx, loadClip, loadPhi } from '../src/index.ts';
import { modelFiles } from '../src/onnx/index.ts';
import { initialPhi, phiCheckpoint, phiShape, phiTensors } from '../src/phi/index.ts';
import { lincir as lincirIn } from './command-line.ts';
import { refused, setUp } from './hub-setup.ts';
import { type OnnxCase, towerCases } from './onnx-cases.ts';
import { writePicture } from './pictures.ts';
import { pythonWith } from './python.ts';

const fixtures = join(import.meta.dirname, 'fixtures');
/** Models of every family. */
const models = [
  ...['tiny-clip', 'tiny-clip-bf16', 'tiny-metaclip2', 'tiny-chinese-clip', 'tiny-siglip'],
  ...['tiny-open-clip', 'tiny-open-clip-custom', 'tiny-open-clip-xlm'],
  ...['tiny-openai/ViT-tiny.pt', 'tiny-pe-core/PE-Core-tiny.pt'],
];

let folder: string;
const cases: OnnxCase[] = [];
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-onnx-'));
  for (const model of models) cases.push(...(await towerCases(model, folder)));
  await mkdir(join(folder, 'beside'));
  cases.push(...(await towerCases('tiny-clip', join(folder, 'beside'), { limit: 20_000 })));
});
after(() => rm(folder, { recursive: true }));

const lincir = (args: readonly string[]) => lincirIn(args, { folder });

/** The length of the difference, by that of what is expected. */
function errorOf(found: readonly number[], expected: readonly number[]): number {
  assert.equal(found.length, expected.length);
  const difference = Math.hypot(...found.map((value, at) => value - expected[at]!));
  return difference / Math.hypot(...expected);
}

function expectClose({ file, expected }: OnnxCase, found: readonly number[], largest = 2e-5): void {
  const error = errorOf(found, expected);
  assert.ok(error < largest, `${file}: ${error}`);
}

async function run(
  file: string,
  feeds: OnnxCase['feeds'],
  options: ort.InferenceSession.SessionOptions = {},
): Promise<readonly number[]> {
  const session = await ort.InferenceSession.create(file, options);
  const given = Object.entries(feeds).map(([name, { shape, data }]) => {
    const type = data instanceof BigInt64Array ? 'int64' : 'float32';
    return [name, new ort.Tensor(type, data as Float32Array, shape)] as const;
  });
  const results = await session.run(Object.fromEntries(given));
  await session.release();
  return Array.from(Object.values(results)[0]!.data as Float32Array);
}

describe('towers of every family, texts of several lengths with no image, one and two', () => {
  test('in ONNX Runtime for Node', async () => {
    assert.equal(cases.length, 3 * (models.length + 1));
    for (const each of cases) expectClose(each, await run(each.file, each.feeds));
  });

  test("in Python's, for which they are valid models of ONNX's own operators", async (context) => {
    const python = await pythonWith('onnx', 'onnxruntime');
    if (typeof python === 'string') return context.skip(python);
    const given = cases.map(({ file, feeds }) => ({
      file,
      feeds: Object.fromEntries(
        Object.entries(feeds).map(([name, { shape, data }]) => {
          const type = data instanceof BigInt64Array ? 'int64' : 'float32';
          return [name, { type, shape, data: Array.from(data, Number) }];
        }),
      ),
    }));
    await writeFile(join(folder, 'cases.json'), JSON.stringify(given));
    const printed = await python([join(fixtures, 'run_onnx.py'), join(folder, 'cases.json')]);
    const found: number[][] = printed
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    for (const [at, each] of cases.entries()) expectClose(each, found[at]!);
  });

  const skip =
    process.env.LINCIR_TEST_WEBGPU !== '1' && 'set LINCIR_TEST_WEBGPU=1 where WebGPU has an adapter';
  test('on WebGPU', { skip }, async () => {
    const options = { executionProviders: ['webgpu'], logSeverityLevel: 3 } as const;
    const names = ['tiny-clip-composing.onnx', 'tiny-pe-core-PE-Core-tiny-pt-vision.onnx'];
    for (const name of names) {
      const each = cases.find(({ file }) => file === join(folder, name))!;
      expectClose(each, await run(each.file, each.feeds, options), 1e-3);
    }
  });

  test('a number of pseudo tokens that does not fit the ids is an error', async () => {
    const { file, feeds } = cases.find(({ feeds }) => feeds.pseudo_tokens)!;
    const { shape, data } = feeds.pseudo_tokens!;
    const width = shape[1]!;
    const fewer = { shape: [shape[0]! - 1, width], data: (data as Float32Array).slice(width) };
    await assert.rejects(run(file, { ...feeds, pseudo_tokens: fewer }), /ScatterND/);
  });
});

describe('an export of the miniature world', () => {
  test('its README.md has a program in Python that gives what lincir gives', async (context) => {
    const python = await pythonWith('onnxruntime', 'tokenizers', 'PIL');
    if (typeof python === 'string') return context.skip(python);
    const out = join(folder, 'mini');
    const { files } = await exportOnnx({ phi: 'mini', out });
    const written = await readdir(out, { recursive: true, withFileTypes: true });
    assert.equal(files.length, written.filter((entry) => entry.isFile()).length);
    for (const [at, name] of ['dog.jpg', 'beach.jpg'].entries()) await writePicture(join(out, name), at);
    const [, program] = /```python\n(.*?)```/s.exec(await readFile(join(out, 'README.md'), 'utf8'))!;
    const print = 'import json; print(json.dumps([v.tolist() for v in (images, texts, composed)]))';
    const code = `import os\nos.chdir(${JSON.stringify(out)})\n${program}\n${print}\n`;
    const found = JSON.parse((await python(['-c', code])).trim().split('\n').at(-1)!);

    const clip = await loadClip('mini');
    const phi = await loadPhi('mini', { clip });
    context.after(() => Promise.all([clip.dispose(), phi.dispose()]));
    const [dog, beach] = ['dog.jpg', 'beach.jpg'].map((name) => join(out, name)) as [string, string];
    const images = await clip.encodeImages([dog, beach]);
    const texts = await clip.encodeTexts(['a photo of a dog', 'the sea']);
    const queries = [
      await compose({ clip, phi, images: [dog], text: 'a photo of $ that is swimming' }),
      await compose({ clip, phi, images: [dog, beach], text: 'the dog of $1 on the beach of $2' }),
    ];
    assert.ok(errorOf(found[0].flat(), [...images.data]) < 2e-5);
    assert.ok(errorOf(found[1].flat(), [...texts.data]) < 2e-5);
    for (const [at, { vector }] of queries.entries()) {
      const length = Math.hypot(...found[2][at]);
      assert.ok(
        errorOf(
          found[2][at].map((value: number) => value / length),
          [...vector],
        ) < 2e-5,
      );
    }
  });

  test('with both towers in one, it says how similar pictures and texts are, whatever a mask hides', async (context) => {
    const out = join(folder, 'joint');
    await exportOnnx({ model: 'mini', out, zeroShot: true });
    const clip = await loadClip('mini');
    const session = await ort.InferenceSession.create(join(out, 'onnx/model.onnx'));
    context.after(() => Promise.all([clip.dispose(), session.release()]));
    const names = ['logits_per_image', 'logits_per_text', 'text_embeds', 'image_embeds'];
    assert.deepEqual(session.outputNames, names);
    const { imageSize } = clip.visionConfig;
    const pixels = Float32Array.from({ length: 9 * imageSize ** 2 }, (_, at) => Math.sin(at / 7));
    const rows = ['a red circle', 'a large blue square below it'].map(
      (text) => clip.tokenizer.encode(text).ids,
    );
    const [short, long] = [rows[0]!, rows[1]!];
    const hidden = Array<number>(long.length - short.length).fill(5);
    const mask = rows.flatMap(({ length }) => long.map((_, at) => Number(at < length)));
    const int64 = (data: readonly number[]) =>
      new ort.Tensor('int64', BigInt64Array.from(data, BigInt), [2, long.length]);
    const found = await session.run({
      input_ids: int64([...short, ...hidden, ...long]),
      attention_mask: int64(mask),
      pixel_values: new ort.Tensor('float32', pixels, [3, 3, imageSize, imageSize]),
    });

    const scaled = ({ shape, data }: Float32Tensor) =>
      Array.from({ length: shape[0]! }, (_, row) => {
        const vector = [...data.slice(row * shape[1]!, (row + 1) * shape[1]!)];
        return vector.map((value) => value / Math.hypot(...vector));
      });
    const texts = scaled(await clip.encodeTokens(rows.map((ids) => ({ ids }))));
    const images = scaled(await clip.encodePixels(pixels));
    const scale = Math.exp((await readTensor(clip.checkpoint.tensors.get('logit_scale')!)).data[0]!);
    const logit = (text: readonly number[], image: readonly number[]) =>
      scale * text.reduce((sum, value, at) => sum + value * image[at]!, 0);
    const expected = [
      images.flatMap((image) => texts.map((text) => logit(text, image))),
      texts.flatMap((text) => images.map((image) => logit(text, image))),
      ...[texts.flat(), images.flat()],
    ];
    assert.deepEqual(found.logits_per_image!.dims, [3, 2]);
    for (const [at, name] of names.entries()) {
      assert.ok(errorOf([...(found[name]!.data as Float32Array)], expected[at]!) < 2e-5, name);
    }
    assert.match(
      await readFile(join(out, 'README.md'), 'utf8'),
      /pipeline\('zero-shot-image-classification'/,
    );
  });

  test('in float16, it takes half the space, and its embeddings differ by a rounding', async (context) => {
    const [wide, half] = [join(folder, 'wide'), join(folder, 'half')];
    const [{ bytes }, small] = [
      await exportOnnx({ phi: 'mini', out: wide }),
      await exportOnnx({ phi: 'mini', out: half, precision: 'float16' }),
    ];
    assert.ok(small.bytes < 0.52 * bytes, `${small.bytes} of ${bytes}`);
    const clip = await loadClip('mini');
    context.after(() => clip.dispose());
    const { ids } = clip.tokenizer.encode('a large red circle above a blue square');
    const input_ids = { shape: [1, ids.length], data: BigInt64Array.from(ids, BigInt) };
    const expected = [...(await clip.encodeTokens([{ ids }])).data];
    assert.ok(errorOf(await run(join(wide, 'onnx/text_model.onnx'), { input_ids }), expected) < 2e-5);
    const error = errorOf(await run(join(half, 'onnx/text_model_fp16.onnx'), { input_ids }), expected);
    assert.ok(error > 0 && error < 2e-3, `${error}`);
    const config = JSON.parse(await readFile(join(half, 'config.json'), 'utf8'));
    assert.deepEqual(config['transformers.js_config'], { dtype: 'fp16' });
  });
});

describe('what is written beside the models', () => {
  test('of a model that transformers has: its own files; with names of outputs as transformers.js has them', async () => {
    const place = join(folder, 'siglip');
    await cp(join(fixtures, 'tiny-siglip'), place, { recursive: true });
    for (const name of ['tokenizer.json', 'tokenizer_config.json'])
      await cp(join(fixtures, 'tokenizers/siglip', name), join(place, name));
    const out = join(folder, 'siglip-onnx');
    await exportOnnx({ model: place, out });
    for (const name of ['preprocessor_config.json', 'tokenizer.json']) {
      assert.deepEqual(await readFile(join(out, name)), await readFile(join(place, name)), name);
    }
    const settings = JSON.parse(await readFile(join(place, 'tokenizer_config.json'), 'utf8'));
    assert.equal(settings.model_max_length, 64); // more than the tower has
    assert.deepEqual(JSON.parse(await readFile(join(out, 'tokenizer_config.json'), 'utf8')), {
      ...{ ...settings, model_max_length: 32 },
    });
    // As transformers wants it: a whole number is no float to it.
    assert.match(await readFile(join(out, 'config.json'), 'utf8'), /"initializer_factor": 1\.0,/);
    assert.deepEqual(await readdir(join(out, 'onnx')), ['text_model.onnx', 'vision_model.onnx']);
    const session = await ort.InferenceSession.create(join(out, 'onnx/text_model.onnx'));
    assert.deepEqual(session.outputNames, ['text_embeds', 'pooler_output']);
    await session.release();
    const text = await readFile(join(out, 'README.md'), 'utf8');
    assert.match(text, /SiglipTextModel/);
    assert.match(text, /Rows may have fewer than \d+ ids/);
    assert.ok(!text.includes(folder) && !text.includes('pseudo_tokens'), text);
  });

  test('of a SigLIP with both towers in one: logits have its bias, and no mask is asked for', async (context) => {
    const outputs = await siglipInOne();
    context.after(() => outputs.session.release());
    const { session, scale, bias, imageSize } = outputs;
    assert.deepEqual(session.inputNames.toSorted(), ['input_ids', 'pixel_values']);
    const pixels = Float32Array.from({ length: 3 * imageSize ** 2 }, (_, at) => Math.cos(at / 5));
    const found = await session.run({
      input_ids: new ort.Tensor('int64', BigInt64Array.of(9n, 8n, 1n), [1, 3]),
      pixel_values: new ort.Tensor('float32', pixels, [1, 3, imageSize, imageSize]),
    });
    const [text, image] = ['text_embeds', 'image_embeds'].map((name) => [
      ...(found[name]!.data as Float32Array),
    ]) as [number[], number[]];
    const cosine = text.reduce((sum, value, at) => sum + value * image[at]!, 0);
    const [logit] = found.logits_per_image!.data as Float32Array;
    assert.ok(bias !== 0 && Math.abs(logit! - (scale * cosine + bias)) < 1e-5);
  });

  test('of another one: a configuration that transformers.js takes, with preprocessing and tokenizer', async () => {
    const place = join(folder, 'openai');
    await cp(join(fixtures, 'tiny-openai'), place, { recursive: true });
    for (const name of ['vocab.json', 'merges.txt'])
      await cp(join(fixtures, 'tiny-clip', name), join(place, name));
    const clip = await loadClip(join(place, 'ViT-tiny.pt'));
    const shape = phiShape('searle', clip.textConfig);
    const [tensors, metadata] = phiTensors({ shape, l2Normalize: true }, initialPhi(shape, 3));
    await writeSafetensors(join(folder, 'phi.safetensors'), tensors, metadata);
    const out = join(folder, 'openai-onnx');
    await exportOnnx({ model: join(place, 'ViT-tiny.pt'), phi: join(folder, 'phi.safetensors'), out });

    const phi = await loadPhi(join(folder, 'phi.safetensors'), { clip });
    const image_embeds = {
      shape: [2, shape.input],
      data: Float32Array.from({ length: 2 * shape.input }, (_, at) => Math.sin(at)),
    };
    const expected = [...(await phi.encode(image_embeds)).data];
    assert.ok(errorOf(await run(join(out, 'onnx/phi.onnx'), { image_embeds }), expected) < 2e-5);
    await phi.dispose();
    await clip.dispose();

    const read = async (name: string) => JSON.parse(await readFile(join(out, name), 'utf8'));
    assert.equal((await read('config.json')).model_type, 'clip');
    const { crop, mean } = clip.preprocessing;
    const { crop_size, image_mean, resample } = await read('preprocessor_config.json');
    assert.deepEqual([crop_size, image_mean, resample], [crop, mean, 3]);
    // lincir reads them again, and tokenizes as before.
    const { tokenizer_class, pad_token } = await read('tokenizer_config.json');
    assert.deepEqual([tokenizer_class, pad_token], ['CLIPTokenizer', '<|endoftext|>']);
    await rm(join(place, 'vocab.json'));
    await cp(join(out, 'tokenizer.json'), join(place, 'tokenizer.json'));
    const again = await loadClip(join(place, 'ViT-tiny.pt'));
    const text = 'Two dogs, one red!';
    assert.deepEqual(again.tokenizer.encode(text), clip.tokenizer.encode(text));
    await again.dispose();
  });
});

async function siglipInOne() {
  const { config, checkpoint } = await openTowers(folderFiles(join(fixtures, 'tiny-siglip')));
  const { text, vision } = config;
  const outputs = plainTowersInOne({ text: text!, vision: vision! }, checkpoint.tensors, 1);
  const file = join(folder, 'siglip-in-one.onnx');
  const [model] = modelFiles('siglip-in-one.onnx', outputs);
  await writeFile(file, Buffer.concat(await Array.fromAsync(model!.bytes())));
  const scalar = async (name: string) => (await readTensor(checkpoint.tensors.get(name)!)).data[0]!;
  return {
    session: await ort.InferenceSession.create(file),
    scale: Math.exp(await scalar('logit_scale')),
    bias: await scalar('logit_bias'),
    imageSize: vision!.imageSize,
  };
}

test('a published phi and its model are downloaded by their names, and others are refused', async (context) => {
  const clip = await loadClip(join(fixtures, 'tiny-clip'));
  const shape = phiShape('lincir', clip.textConfig);
  await clip.dispose();
  const path = join(folder, 'lincir_large.pt');
  await writeTorchCheckpoint(
    path,
    phiCheckpoint({ shape, l2Normalize: false }, initialPhi(shape, 3), 'lincir'),
  );
  const commit = 'a'.repeat(40);
  const files = Object.fromEntries(
    await Promise.all(
      [
        'config.json',
        'preprocessor_config.json',
        'tokenizer.json',
        'tokenizer_config.json',
        'model.safetensors',
      ].map(async (name) => [name, await readFile(join(fixtures, 'tiny-clip', name))] as const),
    ),
  );
  const phi = {
    id: 'navervision/zeroshot-cir-models',
    commit,
    files: { 'lincir_large.pt': await readFile(path) },
  };
  const models = ['openai/clip-vit-large-patch14', 'openai/clip-vit-base-patch32'].map((id) => ({
    id,
    commit,
    files,
  }));
  const { options } = await setUp(context, [phi, ...models]);
  for (const [at, model] of [undefined, 'large'].entries()) {
    const out = join(folder, `published-${at}`);
    await exportOnnx({ ...options, phi: 'lincir-large', model, out });
    const text = await readFile(join(out, 'README.md'), 'utf8');
    assert.match(text, /^base_model: "openai\/clip-vit-large-patch14"$/m);
    assert.ok(text.includes('# [openai/clip-vit-large-patch14]('), text);
  }
  const other = exportOnnx({ ...options, phi: 'lincir-large', model: 'base', out: join(folder, 'other') });
  await refused(other, 'bad-argument', /expected one for openai\/clip-vit-base-patch32/);
});

describe('the command', () => {
  test('takes the model that phi names, and tells what it wrote', async () => {
    const { code, stdout, stderr } = await lincir(['export', 'mini', '--onnx', '--out', 'told', '--json']);
    assert.equal(code, 0, stderr);
    const { folder: place, files, bytes } = JSON.parse(stdout);
    assert.equal(place, 'told');
    assert.ok(files.includes('onnx/text_model_with_pseudo_tokens.onnx') && bytes > 1e7);
    const plain = await lincir(['export', '--onnx', '--model', 'mini', '--out', 'plain']);
    assert.match(plain.stderr, /^plain: 7 files, .* README\.md says/);
  });

  test('what is there stays, unless it is an earlier export that is to be replaced', async () => {
    const args = ['export', '--onnx', '--model', 'mini', '--out', 'there'];
    assert.equal((await lincir(args)).code, 0);
    await writeFile(join(folder, 'there/mine.txt'), 'mine');
    const again = await lincir(args);
    assert.equal(again.code, 2);
    assert.match(again.stderr, /--out there: expected a new or empty folder, .*--force\n$/);
    assert.equal((await lincir([...args, '--force', '--precision', 'float16'])).code, 0);
    assert.equal(await readFile(join(folder, 'there/mine.txt'), 'utf8'), 'mine');
    assert.deepEqual(await readdir(join(folder, 'there/onnx')), [
      'text_model_fp16.onnx',
      'vision_model_fp16.onnx',
    ]);
    // What another program made stays, and its weights.
    for (const name of ['model.onnx', 'model.onnx_data'])
      await writeFile(join(folder, 'there/onnx', name), 'mine');
    await writeFile(join(folder, 'there/special_tokens_map.json'), "an earlier model's");
    assert.equal((await lincir([...args, '--force'])).code, 0);
    const models = ['model.onnx', 'model.onnx_data', 'text_model.onnx', 'vision_model.onnx'];
    assert.deepEqual(await readdir(join(folder, 'there/onnx')), models);
    assert.ok(!(await readdir(join(folder, 'there'))).includes('special_tokens_map.json'));
    await writeFile(join(folder, 'there/README.md'), '# mine');
    await refused(
      exportOnnx({ model: 'mini', out: join(folder, 'there'), force: true }),
      'bad-argument',
      /README\.md of something else/,
    );
  });

  test('what does not go together is refused, and an end in the middle leaves nothing', async () => {
    for (const [args, part] of [
      [['export'], /expected a phi, or --onnx --model MODEL/],
      [['export', '--onnx', '--out', 'x'], /--model: expected the model to export/],
      [['export', 'mini', '--onnx'], /--onnx: expected --out FOLDER/],
      [['export', 'mini', '--out', 'x.pt', '--precision', 'float16'], /--precision: expected --onnx as well/],
      [['export', 'mini', '--out', 'x.pt', '--zero-shot'], /--zero-shot: expected --onnx as well/],
      [['export', 'mini', '--onnx', '--out', 'x', '--layout', 'searle'], /found --layout/],
      [
        ['export', '--onnx', '--model', join(fixtures, 'tiny-clip-text'), '--out', 'x', '--zero-shot'],
        /--zero-shot: expected a model with both towers, found a text tower/,
      ],
      [
        ['export', 'mini', '--onnx', '--model', join(fixtures, 'tiny-clip'), '--out', 'x'],
        /expected a phi for/,
      ],
    ] as const) {
      const { code, stderr } = await lincir(args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, part);
    }
    const controller = new AbortController();
    const stopped = exportOnnx({
      ...{ model: 'mini', out: join(folder, 'x'), signal: controller.signal },
      onWrite: (done, total) => done > total / 2 && controller.abort(new Error('stop')),
    });
    await assert.rejects(stopped, /stop/);
    const left = (await readdir(folder)).filter((name) => name === 'x' || name.endsWith('.tmp'));
    assert.deepEqual(left, []);
  });
});
