/** The command line as a user meets it: real processes on a tiny model. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { loadClip } from '../src/clip/index.ts';
import { readSafetensorsHeader, readTensor } from '../src/core/index.ts';
import { readingFile } from '../src/files/index.ts';
import { type CommandOptions, lincir as lincirIn, start as startIn } from './command-line.ts';
import { commit, id, setUp, tiny } from './hub-setup.ts';

const model = join(import.meta.dirname, 'fixtures/tiny-clip');
const images = join(import.meta.dirname, 'fixtures/images');

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-cli-'));
});
after(() => rm(folder, { recursive: true }));

type Run = Omit<CommandOptions, 'folder'>;
const start = (args: readonly string[], run: Run = {}) => startIn(args, { folder, ...run });
const lincir = (args: readonly string[], run: Run = {}) => lincirIn(args, { folder, ...run });

async function readEmbeddings(path: string) {
  const { tensors, metadata } = await readingFile(path, readSafetensorsHeader);
  const { offset, byteLength } = tensors.get('names')!;
  const names = (await readFile(path))
    .subarray(offset, offset + byteLength)
    .toString()
    .trimEnd()
    .split('\n');
  return {
    ...(await readTensor(tensors.get('embeddings')!)),
    metadata,
    names: names.map((name): unknown => JSON.parse(name)),
  };
}

function assertClose(actual: Float32Array, expected: Float32Array): void {
  assert.equal(actual.length, expected.length);
  const worst = actual.reduce((most, value, index) => Math.max(most, Math.abs(value - expected[index]!)), 0);
  assert.ok(worst < 1e-5, `they differ by ${worst}`);
}

describe('embed', () => {
  test('texts of a file', async () => {
    const lines = ['a photo of $', '', 'two red hats', 'a '.repeat(100)];
    await writeFile(join(folder, 'texts.txt'), lines.join('\r\n'));
    const { stdout, stderr, code } = await lincir([
      'embed',
      '--model',
      model,
      '--texts',
      'texts.txt',
      '--out',
      't.safetensors',
    ]);
    assert.deepEqual([stdout, code], ['', 0]);
    const [empty, cut, summary, ...others] = stderr.trimEnd().split('\n');
    assert.match(empty!, /^warning: texts\.txt: line 2 is empty/);
    assert.match(cut!, /^warning: texts\.txt: line 4 is cut to 77 tokens: "a a /);
    assert.match(summary!, /^4 texts, 24 dimensions, .* texts\/s → t\.safetensors$/);
    assert.deepEqual(others, []);

    const { shape, data, names, metadata } = await readEmbeddings(join(folder, 't.safetensors'));
    assert.deepEqual([shape, names], [[4, 24], lines]);
    const clip = await loadClip(model);
    assertClose(data, (await clip.encodeTexts(lines)).data);
    assert.deepEqual(metadata, { kind: 'texts', model, fingerprint: clip.fingerprint, normalized: 'false' });
    await clip.dispose();
  });

  test('texts of standard input, normalised, as JSON', async () => {
    const { stdout, stderr, code } = await lincir(
      ['embed', '--model', model, '--texts', '-', '--out', 't.jsonl', '--normalize', '--json'],
      { input: 'a red hat\na blue hat\n' },
    );
    assert.deepEqual([stderr, code], ['', 0]);
    const { kind, count, dimensions, files } = JSON.parse(stdout);
    assert.deepEqual(
      { kind, count, dimensions, files },
      { kind: 'texts', count: 2, dimensions: 24, files: ['t.jsonl'] },
    );
    const rows = (await readFile(join(folder, 't.jsonl'), 'utf8')).trimEnd().split('\n');
    for (const [index, row] of rows.entries()) {
      const { name, embedding }: { name: string; embedding: number[] } = JSON.parse(row);
      assert.equal(name, ['a red hat', 'a blue hat'][index]);
      assert.ok(Math.abs(Math.hypot(...embedding) - 1) < 1e-6);
    }
  });

  test('images, which names are paths with forward slashes', async () => {
    await mkdir(join(folder, 'photos/more'), { recursive: true });
    for (const name of ['rgb.jpg', 'more/rgba.png']) {
      await cp(join(images, name.split('/').at(-1)!), join(folder, 'photos', name));
    }
    const { stderr, code } = await lincir([
      'embed',
      '--model',
      model,
      '--images',
      'photos',
      'photos/*.jpg',
      '--out',
      'p.npy',
    ]);
    assert.match(stderr, /^2 images, 24 dimensions, .* → p\.npy, p\.model\.json, p\.names\.jsonl\n$/);
    assert.equal(code, 0);
    assert.equal(
      await readFile(join(folder, 'p.names.jsonl'), 'utf8'),
      '"photos/more/rgba.png"\n"photos/rgb.jpg"\n',
    );
  });

  test('a broken image stops the work, and can be left out', async () => {
    await mkdir(join(folder, 'mixed'));
    await cp(join(images, 'rgb.jpg'), join(folder, 'mixed/a.jpg'));
    await writeFile(join(folder, 'mixed/b.jpg'), 'no image');
    await cp(join(images, 'rgba.png'), join(folder, 'mixed/c.png'));
    const args = ['embed', '--model', model, '--images', 'mixed', '--out', 'm.safetensors'];

    const stopped = await lincir(args);
    assert.equal(stopped.code, 1);
    assert.match(
      stopped.stderr,
      /^lincir: mixed\/b\.jpg: expected .*--skip-broken; 0 of 3 images are kept in m\.safetensors\.partial\n$/,
    );

    const { stderr, code } = await lincir([...args, '--skip-broken']);
    assert.equal(code, 0);
    assert.match(stderr, /^left out: mixed\/b\.jpg: expected .*\n2 images \(1 left out\), .*\n$/);
    const { names, data, shape } = await readEmbeddings(join(folder, 'm.safetensors'));
    assert.deepEqual(
      [shape, names],
      [
        [2, 24],
        ['mixed/a.jpg', 'mixed/c.png'],
      ],
    );
    const clip = await loadClip(model);
    assertClose(
      data,
      (await clip.encodeImages([join(folder, 'mixed/a.jpg'), join(folder, 'mixed/c.png')])).data,
    );
    await clip.dispose();
    assert.ok(!(await readdir(folder)).includes('m.safetensors.partial'));
  });

  test('killed at any moment, it goes on from there', async () => {
    const lines = Array.from({ length: 3000 }, (_, index) => `photo ${index} of ${index % 7} red hats`);
    await writeFile(join(folder, 'many.txt'), lines.join('\n'));
    const args = (out: string) => ['embed', '--model', model, '--texts', 'many.txt', '--out', out];
    const rows = join(folder, 'killed.npy.partial/rows.f32');

    const child = start(args('killed.npy'));
    const closed = once(child, 'close');
    while (((await stat(rows).catch(() => undefined))?.size ?? 0) === 0 && child.exitCode === null)
      await pause(2);
    child.kill('SIGKILL');
    await closed;
    assert.equal(child.signalCode, 'SIGKILL');
    assert.ok(!(await readdir(folder)).includes('killed.npy'));

    const other = await lincir([...args('killed.npy'), '--normalize']);
    assert.equal(other.code, 2);
    assert.match(
      other.stderr,
      /^lincir: killed\.npy\.partial: .*normalized false, not true.*delete the folder/,
    );

    const [resumed, whole] = [await lincir(args('killed.npy')), await lincir(args('whole.npy'))];
    assert.deepEqual([resumed.code, whole.code], [0, 0]);
    assert.match(resumed.stderr, /^killed\.npy\.partial has [1-9][\d,]* of 3,000 texts already: continuing/);
    const [a, b] = [await readFile(join(folder, 'killed.npy')), await readFile(join(folder, 'whole.npy'))];
    assert.deepEqual(a.subarray(0, 128), b.subarray(0, 128));
    assertClose(floats(a), floats(b));
    assert.deepEqual(
      (await readdir(folder)).filter((name) => /partial|tmp/.test(name)),
      [],
    );
  });

  test('interrupted, it says what is kept', { skip: process.platform === 'win32' }, async () => {
    const child = start(['embed', '--model', model, '--texts', 'many.txt', '--out', 'i.npy']);
    const stderr = text(child.stderr!);
    const rows = join(folder, 'i.npy.partial/rows.f32');
    while (((await stat(rows).catch(() => undefined))?.size ?? 0) === 0 && child.exitCode === null)
      await pause(2);
    child.kill('SIGINT');
    await once(child, 'close');
    assert.equal(child.exitCode, 130);
    assert.match(
      await stderr,
      /^[1-9][\d,]* of 3,000 texts are kept in i\.npy\.partial.*\nlincir: interrupted\n$/,
    );
  });

  test('too long a text is refused before the work begins, if strict', async () => {
    const { stderr, code } = await lincir(
      ['embed', '--model', model, '--texts', '-', '--out', 's.npy', '--strict'],
      { input: `a\n${'b '.repeat(99)}` },
    );
    assert.equal(code, 1);
    assert.match(stderr, /^lincir: standard input: line 2: expected at most 77 tokens/);
    assert.ok(!(await readdir(folder)).some((name) => name.startsWith('s.npy')));
  });
});

describe('tokenize', () => {
  test('a list of ids a line', async () => {
    const golden = (await readFile(join(model, 'golden.jsonl'), 'utf8')).trimEnd().split('\n');
    const cases = golden.map((line): { text: string; ids: number[] } => JSON.parse(line));
    const single = cases.filter(({ text }) => !/[\r\n]/.test(text));
    const { stdout, code } = await lincir(['tokenize', '--model', model], {
      input: single.map(({ text }) => `${text}\n`).join(''),
    });
    assert.equal(code, 0);
    assert.deepEqual(
      stdout
        .trimEnd()
        .split('\n')
        .map((line): unknown => JSON.parse(line)),
      single.map(({ ids }) => ids),
    );
  });

  test('long texts are warned of a few times, or refused', async () => {
    const input = `${'a '.repeat(99)}\n`.repeat(7);
    const { stderr, stdout, code } = await lincir(['tokenize', '--model', model], { input });
    assert.deepEqual([stdout.trimEnd().split('\n').length, code], [7, 0]);
    assert.equal(stderr.match(/^warning: standard input: line \d is cut/gm)?.length, 5);
    assert.match(stderr, /\nwarning: 2 more texts are cut\n$/);
    const strict = await lincir(['tokenize', '--model', model, '--strict'], { input: `a\n${input}` });
    assert.equal(strict.code, 1);
    assert.match(strict.stderr, /^lincir: standard input: line 2: expected at most 77 tokens/);
    assert.equal(strict.stdout.trimEnd().split('\n').length, 1);
  });

  test('a reader that has had enough ends it quietly', async () => {
    const child = start(['tokenize', '--model', model]);
    const stderr = text(child.stderr!);
    const closed = once(child, 'close');
    child.stdin!.on('error', () => {});
    child.stdin!.end('a photo of $\n'.repeat(100_000));
    await once(child.stdout!, 'data');
    child.stdout!.destroy();
    await closed;
    assert.deepEqual([await stderr, child.exitCode], ['', 0]);
  });

  test('weights are not downloaded for it', async (context) => {
    const tokenizer = await readFile(join(model, 'tokenizer.json'), 'utf8');
    const config = await readFile(join(model, 'config.json'), 'utf8');
    const files = { ...tiny.files, 'tokenizer.json': tokenizer, 'config.json': config };
    const { hub, options } = await setUp(context, [{ ...tiny, files }]);
    const { environment } = options;
    const { stdout, stderr, code } = await lincir(['tokenize', '--model', id], { input: 'a\n', environment });
    assert.deepEqual([stdout, stderr, code], ['[598, 320, 599]\n', '', 0]);
    assert.ok(!hub.requests.some((request) => /safetensors|bin/.test(JSON.stringify(request))));
    // They still are when the model is needed.
    await lincir(['models', 'pull', id], { environment });
    const list = await lincir(['models', '--json'], { environment });
    assert.deepEqual(
      JSON.parse(list.stdout).cached.map((cached: { complete: boolean }) => cached.complete),
      [true],
    );
  });
});

test('models: the presets and the cache', async (context) => {
  const { options } = await setUp(context);
  const { environment } = options;
  const pulled = await lincir(['models', 'pull', id, '--json'], { environment });
  assert.deepEqual([pulled.stderr, pulled.code], ['', 0]);
  assert.equal(JSON.parse(pulled.stdout).id, id);
  const { stdout } = await lincir(['models'], { environment });
  assert.match(stdout, /^base +openai\/clip-vit-base-patch32 +CLIP ViT-B\/32/m);
  assert.match(stdout, /^acme\/tiny-clip +main +50 kB$/m);
  assert.match(stdout, /^lincir-large +LinCIR's, by its authors +large +57 MB +CC BY-NC 4\.0$/m);
});

test('models pull: a published phi', async (context) => {
  const authors = { id: 'navervision/zeroshot-cir-models', commit, files: { 'lincir_large.pt': 'phi' } };
  const { options } = await setUp(context, [authors]);
  const { environment } = options;
  const { stderr, code } = await lincir(['models', 'pull', 'lincir-large'], { environment });
  assert.equal(code, 0, stderr);
  assert.match(stderr, /its licence: CC BY-NC 4\.0, https:.*\nlincir-large is in .*\/lincir_large\.pt\n$/);
  const { stdout } = await lincir(['models'], { environment });
  assert.match(stdout, /^lincir-large .* cached$/m);
});

describe('wrong usage is one line and exit code 2', { concurrency: 2 }, () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['emebd'], /unknown command 'emebd' \(Did you mean embed\?\)/],
    [
      ['embed', '--model', 'base', '--out', 'x.npy', '--image', 'x'],
      /unknown option '--image' \(Did you mean --images\?\)/,
    ],
    [['embed', '--out', 'x.npy'], /required option '--model <model>' not specified/],
    [['embed', '--model', 'base', '--out', 'x.npy'], /expected either --images or --texts, found neither/],
    [['embed', '--model', 'base', '--out', 'x.npy', '--images', 'x', '--texts', 'x'], /found both/],
    [['embed', '--model', 'base', '--out', 'x.csv', '--texts', 'x'], /--out: expected a file name ending in/],
    [['embed', '--model', 'base', '--out', 'x.npy', '--texts', 'x', '--threads', '0'], /whole number/],
    [['embed', '--model', 'base', '--out', 'x.npy', '--texts', 'x', '--device', 'tpu'], /cpu, webgpu, cuda/],
  ];
  for (const [args, message] of cases) {
    test(args.join(' '), async () => {
      const { stdout, stderr, code } = await lincir(args);
      assert.deepEqual([stdout, code], ['', 2]);
      assert.match(stderr, /^lincir: .*\n$/);
      assert.match(stderr, message);
    });
  }
});

test('failures are one line and exit code 1, with a stack on demand', async () => {
  const args = ['embed', '--model', join(folder, 'photos'), '--texts', 'texts.txt', '--out', 'f.npy'];
  const { stderr, code } = await lincir(args);
  assert.equal(code, 1);
  assert.match(stderr, /^lincir: .*config\.json: expected .*\n$/);
  assert.match((await lincir([...args, '--debug'])).stderr, /\n +at /);
});

test('a file that does not exist is named before a model is loaded', async () => {
  const { stderr, code } = await lincir([
    'embed',
    '--model',
    'base',
    '--texts',
    'nope.txt',
    '--out',
    'x.npy',
  ]);
  assert.equal(code, 1);
  assert.match(stderr, /^lincir: nope\.txt: expected .*, found no such file or folder; .*\n$/);
});

test('mini takes --images, and its older name', async () => {
  for (const name of ['--images', '--pictures']) {
    const { stderr, code } = await lincir(['mini', `world${name}`, name, '12', '--queries', '2']);
    assert.equal(code, 0);
    assert.match(stderr, /^12 images → /m);
  }
});

test('help has examples', async () => {
  const { stdout, code } = await lincir(['embed', '--help']);
  assert.equal(code, 0);
  assert.match(stdout, /Examples:\n +\$ lincir embed/);
});

/** The elements of a .npy file whose header has 128 bytes. */
function floats(npy: Buffer): Float32Array {
  return new Float32Array(Uint8Array.from(npy.subarray(128)).buffer);
}
