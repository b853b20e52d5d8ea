/** `lincir check`: what it says of a machine, what it proves, and how it ends where a device is missing. */

import assert from 'node:assert/strict';
import { copyFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { lincir } from './command-line.ts';

const folder = tmpdir();
const model = join(import.meta.dirname, 'fixtures/tiny-clip');
const picture = join(import.meta.dirname, '../examples/pictures/red-sailboat-by-day.jpg');

/** The parts of the JSON that a test looks at. */
interface Checked {
  readonly machine: {
    readonly devices: Readonly<Record<string, { readonly state: string; readonly lacks?: string }>>;
    readonly memoryBytes: number;
  };
  readonly proofs: readonly { readonly what: string; readonly error: number; readonly bound: number }[];
  readonly speed: { readonly gflops: number };
}

async function checked(...options: string[]): Promise<Checked> {
  const { stdout, stderr, code } = await lincir(['check', '--json', '--model', model, ...options], {
    folder,
  });
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

test('a CPU is described, and computes what one thread of it computes', async () => {
  const { machine, proofs, speed } = await checked('--threads', '2');
  assert.ok(machine.devices.cpu?.state === 'usable' && machine.memoryBytes > 2 ** 28 && speed.gflops > 0.1);
  assert.equal(proofs.length, 5);
  for (const { what, error, bound } of proofs) assert.ok(error <= bound, what);
});

const skip = process.env.LINCIR_TEST_WEBGPU === '1' ? false : 'see webgpu.test.ts';
test('WebGPU computes the same, but not to the bit', { skip }, async () => {
  const { proofs } = await checked('--device', 'webgpu');
  assert.ok(proofs.every(({ error, bound }) => error <= bound));
  assert.ok(proofs.some(({ error }) => error > 0));
});

test('without CUDA, it says what there is and ends with what to do', {
  skip: process.platform === 'linux' && process.arch === 'x64' ? false : 'CUDA is for Linux x64 alone',
}, async () => {
  const environment = { LINCIR_CUDA: join(folder, 'no-cuda') };
  const { stdout, stderr, code } = await lincir(['check', '--device', 'cuda'], { folder, environment });
  assert.equal(code, 1);
  assert.match(
    stdout,
    /^cuda +not usable here: no CUDA provider .*\(this build of ONNX Runtime has float32, tf32, .*\)$/m,
  );
  assert.match(
    stdout,
    /^lincir .*ONNX Runtime.*\nprocessor .*\nmemory .*[\s\S]*\nCUDA +no provider in .*no-cuda\n/,
  );
  assert.match(stderr, /^lincir: device 'cuda': expected .*, found none; run `pip install .*`.*\n$/);
});

test('int8 is held against float32: cosines, neighbours, speed, and what stays float32', async () => {
  const { stdout, stderr, code } = await lincir(['check', '--model', model, '--precision', 'int8'], {
    folder,
  });
  assert.equal(code, 0, stderr);
  const [, worst] =
    /^cosine +[01]\.\d+ on average, ([01]\.\d+) at worst +at least 0\.99 +right$/m.exec(stdout) ?? [];
  assert.ok(Number(worst) > 0.99, stdout);
  const [, same] = /^same among 10 nearest +(\d+) % +at least 80 % +right$/m.exec(stdout) ?? [];
  assert.ok(Number(same) >= 80, stdout);
  const [, error, bound] = /^image embeddings +(\S+) +(\S+) +right$/m.exec(stdout) ?? [];
  assert.ok(0 < Number(error) && Number(error) <= Number(bound) && Number(bound) < 0.1, stdout);
  assert.match(stdout, /^In int8, the CPU encodes images as it does in float32/m);
  assert.match(stdout, /^products in float32 +none$/m);
  assert.match(stdout, /^speed +\d+\.\d times that of float32$/m);
  const idle = await lincir(['check', '--images', folder], { folder });
  assert.match(idle.stderr, /--images.*--precision int8 as well/);
});

test('int8: images count once, broken ones are skipped with a line, and only broken ones are refused at once', async (context) => {
  const own = await mkdtemp(join(tmpdir(), 'lincir-check-'));
  context.after(() => rm(own, { recursive: true }));
  const options = ['check', '--model', model, '--precision', 'int8', '--images'];
  await copyFile(picture, join(own, 'a.jpg'));
  await writeFile(join(own, 'b.jpg'), 'no image');
  const some = await lincir([...options, 'a.jpg', join(own, 'a.jpg'), 'b.jpg'], { folder: own });
  assert.equal(some.code, 0, some.stderr);
  assert.match(some.stderr, /^broken: b\.jpg: expected a whole image .*\n$/);
  assert.match(some.stdout, /^int8 against float32 +1 image$/m);
  const none = await lincir([...options, 'b.jpg'], { folder: own });
  assert.equal(none.code, 1);
  assert.equal(none.stdout, '');
  assert.match(none.stderr, /--images: expected at least one image that can be read, found broken ones only/);
});

test('int8 of a model without a vision tower is refused before anything is computed', async (context) => {
  const own = await mkdtemp(join(tmpdir(), 'lincir-check-'));
  context.after(() => rm(own, { recursive: true }));
  await cp(model, own, { recursive: true });
  const config = JSON.parse(await readFile(join(own, 'config.json'), 'utf8'));
  const text = {
    ...config.text_config,
    model_type: 'clip_text_model',
    projection_dim: config.projection_dim,
  };
  await writeFile(join(own, 'config.json'), JSON.stringify(text));
  const { stdout, stderr, code } = await lincir(['check', '--model', own, '--precision', 'int8'], { folder });
  assert.equal(code, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /vision/);
});

test('values are recorded, found again, and missed where they differ', async (context) => {
  const own = await mkdtemp(join(tmpdir(), 'lincir-check-'));
  context.after(() => rm(own, { recursive: true }));
  await copyFile(picture, join(own, 'boat.jpg'));
  const options = ['check', '--model', model];
  const recorded = await lincir([...options, '--images', 'boat.jpg', '--record', 'mine.json'], {
    folder: own,
  });
  assert.equal(recorded.code, 0, recorded.stderr);
  assert.match(recorded.stderr, /^1 image → mine\.json$/m);
  const same = await lincir([...options, '--values', 'mine.json'], { folder: own });
  assert.equal(same.code, 0, same.stderr);
  assert.match(same.stdout, /^boat\.jpg, cosines +known +here +difference +at most$/m);
  assert.match(same.stdout, /^ {2}"a diagram" +-?0\.\d+ +-?0\.\d+ +-?\d\.\de-?\+?\d+ +1\.0e-4 +right$/m);
  assert.match(same.stdout, /^boat\.jpg, cosines: known from lincir .* on cpu$/m);
  const written = JSON.parse(await readFile(join(own, 'mine.json'), 'utf8'));
  written.values[0].values[1] += 0.01;
  await writeFile(join(own, 'mine.json'), JSON.stringify(written));
  const other = await lincir([...options, '--values', 'mine.json', '--json'], { folder: own });
  assert.equal(other.code, 1);
  assert.match(other.stderr, /expected the known values, found 1 of 4 values that differ/);
  const [{ values }] = JSON.parse(other.stdout).values;
  assert.deepEqual(
    values.map(({ isSame }: { readonly isSame: boolean }) => isSame),
    [true, false, true, true],
  );
});

test('a model without published values says so; one with them names the pictures that it lacks', async () => {
  const environment = { HF_HUB_OFFLINE: '1', LINCIR_CACHE: join(folder, 'no-cache') };
  const none = await lincir(['check', '--model', model], { folder, environment });
  assert.equal(none.code, 0, none.stderr);
  assert.match(none.stdout, /^No published values of .*tiny-clip are known here, so none were compared\.$/m);
  const missing = await lincir(['check', '--model', model, '--published', 'base'], { folder, environment });
  assert.equal(missing.code, 1);
  assert.match(missing.stdout, /^000000039769\.jpg, logits +not compared$/m);
  assert.match(
    missing.stderr,
    /000000039769\.jpg: expected the picture from http.*HF_HUB_OFFLINE.*--pictures/,
  );
  const idle = await lincir(['check', '--values', 'a.json', '--pictures', folder], { folder });
  assert.match(idle.stderr, /--pictures: expected neither --values nor --record/);
});
