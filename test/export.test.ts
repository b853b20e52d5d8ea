/** Phis that leave: a run's phi as a file that PyTorch reads, with its model card, and as a repository on the hub. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { readSafetensorsHeader, readTensor } from '../src/core/index.ts';
import { fileSource, readingFile } from '../src/files/index.ts';
import { loadPhi, readPhi } from '../src/phi/index.ts';
import { type ExportOptions, exportPhi } from '../src/publishing/index.ts';
import { lincir as lincirIn, start } from './command-line.ts';
import { acceptUploads, fileIn } from './fake-hub-uploads.ts';
import { refused, setUp } from './hub-setup.ts';
import { writePicture } from './pictures.ts';
import { pythonWith } from './python.ts';

const fixtures = join(import.meta.dirname, 'fixtures');
const model = join(fixtures, 'tiny-clip');

let folder: string;
const lincir = (args: readonly string[], environment?: Readonly<Record<string, string>>) =>
  lincirIn(args, { folder, environment });

async function succeeds(
  args: readonly string[],
  environment?: Readonly<Record<string, string>>,
): Promise<string> {
  const { code, stdout, stderr } = await lincir(args, environment);
  assert.equal(code, 0, stderr);
  return stdout + stderr;
}

/** The same within this process. */
const exporting = (phi: string, out: string, options: Partial<ExportOptions> = {}) =>
  exportPhi(join(folder, phi), { ...options, out: join(folder, out) });

const phiIn = async (name: string) => await readPhi(await fileSource(join(folder, name)));

/** A run with a validation and an evaluation of its best phi. */
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-export-'));
  const sentences = Array.from(
    { length: 60 },
    (_, at) => `a ${at % 3 ? 'red' : 'small'} dog number ${at} sits`,
  );
  await writeFile(join(folder, 'captions.txt'), sentences.join('\n'));
  await writeFile(join(folder, 'held-out.txt'), sentences.slice(0, 9).join('\n'));
  const settings = ['--steps', '4', '--batch', '8', '--seed', '5', '--ema', '--validate-every', '2'];
  const captions = ['--captions', 'captions.txt', '--validate', 'captions:held-out.txt'];
  await succeeds(['train', '--model', model, ...captions, ...settings, '--threads', '1', '--out', 'run']);

  await mkdir(join(folder, 'benchmark/images'), { recursive: true });
  for (let number = 0; number < 8; number += 1)
    await writePicture(join(folder, `benchmark/images/${number}.png`), number);
  const queries = [0, 1, 2].map((at) => ({
    ...{ reference: `images/${at}.png`, text: 'is red', targets: [`images/${at + 3}.png`] },
  }));
  await writeFile(
    join(folder, 'benchmark/queries.jsonl'),
    queries.map((query) => JSON.stringify(query)).join('\n'),
  );
  const evaluation = [
    'custom',
    '--data',
    'benchmark',
    '--model',
    model,
    '--threads',
    '1',
    '--cache',
    'cache',
  ];
  await succeeds(['eval', ...evaluation, '--phi', 'run', '--out', 'run/evaluations/custom']);
});
after(() => rm(folder, { recursive: true }));

describe('to a file', () => {
  test("the best phi of a run leaves in LinCIR's layout, the same to the bit", async () => {
    await succeeds(['export', 'run', '--out', 'phi.pt']);
    const [original, exported] = [await phiIn('run/phi-best.safetensors'), await phiIn('phi.pt')];
    assert.deepEqual(exported.parameters, original.parameters);
    // The model's folder is this machine's. Its fingerprint identifies the model.
    const { model: path, ...info } = original.info;
    assert.equal(path, model);
    assert.deepEqual(exported.info, info);
    assert.match(info.fingerprint!, /^[0-9a-f]{16}$/);
  });

  test('the model card says what is known, and names no folder of this machine', async () => {
    const card = await readFile(join(folder, 'README.md'), 'utf8');
    const { info } = await phiIn('phi.pt');
    const sha256 = createHash('sha256')
      .update(await readFile(join(folder, 'phi.pt')))
      .digest('hex');
    for (const line of [
      'license: other',
      'library_name: lincir',
      '- composed-image-retrieval',
      '| dimensions | 24 → 96 → 96 → 32 |',
      '| weights | the best by validation |',
      `| training | ${info.step} steps |`,
      '| captions a step | 8 |',
      '| moving average | yes |',
      "| the model, lincir's fingerprint | `FINGERPRINT` |".replace('FINGERPRINT', info.fingerprint!),
      `| \`phi.pt\`, SHA-256 | \`${sha256}\` |`,
    ]) {
      assert.ok(card.split('\n').includes(line), `${line}\n${card}`);
    }
    const { captions } = JSON.parse(await readFile(join(folder, 'run/config.json'), 'utf8'));
    assert.ok(card.includes(`| \`captions.txt\` | 60 | 1 | \`${captions[0].sha256.slice(0, 16)}\` |`), card);
    assert.match(card, /\| captions \| R@1 [\d.]+, /);
    assert.match(card, /\| custom.* \| 3 \| 8 \| `a photo of \$ that {text}` \| .*\d+\.\d\d/);
    assert.ok(!card.includes(folder) && !card.includes(model) && !card.includes('base_model'), card);
  });

  test('what is there stays, unless it is to be replaced; a README.md of something else always', async () => {
    const bytes = await readFile(join(folder, 'phi.pt'));
    const again = await lincir(['export', 'run', '--out', 'phi.pt', '--layout', 'searle']);
    assert.equal(again.code, 2);
    assert.match(again.stderr, /^lincir: --out phi\.pt: .*there already; .*--force\n$/);
    await exporting('run', 'phi.pt', { force: true, licence: 'cc-by-4.0' });
    assert.deepEqual(await readFile(join(folder, 'phi.pt')), bytes);
    assert.match(await readFile(join(folder, 'README.md'), 'utf8'), /^license: cc-by-4\.0$/m);
    await refused(
      exporting('run', 'second.pt'),
      'bad-argument',
      /model card: .*README\.md, which is there already/,
    );

    await mkdir(join(folder, 'mine'));
    await writeFile(join(folder, 'mine/README.md'), '# my project\n');
    const mine = exporting('run', 'mine/phi.pt', { force: true });
    await refused(mine, 'bad-argument', /README\.md of something else/);
    assert.deepEqual(await readdir(join(folder, 'mine')), ['README.md']);
  });

  test('each phi of a run, and what was measured with it', async () => {
    await mkdir(join(folder, 'phi-best'));
    for (const [name, kind] of [
      ['phi-latest', 'those of this step'],
      ['phi-ema', 'their moving average'],
    ]) {
      await mkdir(join(folder, name!));
      await exporting(`run/${name}.safetensors`, `${name}/phi.pt`);
      const card = await readFile(join(folder, name!, 'README.md'), 'utf8');
      assert.ok(card.includes(`| weights | ${kind} |`), card);
    }
    // Results of another phi: found, they are left out; given, they are refused.
    const results = await readFile(join(folder, 'run/evaluations/custom/results.json'), 'utf8');
    await mkdir(join(folder, 'run/other'));
    const methods: { readonly name: string; readonly settings: { readonly sha256: string } }[] =
      JSON.parse(results).methods;
    const { sha256 } = methods.find(({ name }) => name === 'lincir')!.settings;
    await writeFile(join(folder, 'run/other/results.json'), results.replaceAll(sha256, '0'.repeat(64)));
    await exporting('run', 'phi-best/phi.pt');
    const rows = (await readFile(join(folder, 'phi-best/README.md'), 'utf8')).match(/^\| custom/gm);
    assert.equal(rows?.length, 1);
    const { code, stderr } = await lincir(['export', 'run', '--out', 'a.pt', '--results', 'run/other']);
    assert.equal(code, 2);
    assert.match(stderr, /--results run\/other\/results\.json: expected results with this phi/);
  });

  test('other networks, names and wishes are refused', async () => {
    await mkdir(join(folder, 'x'));
    const layout = exporting('run', 'x/a.pt', { layout: 'pic2word' });
    await refused(layout, 'bad-argument', /`layout: 'pic2word'`: .*lincir or searle/);
    await refused(exporting('run', 'x/a.safetensors'), 'bad-argument', /a name that ends in \.pt/);
    await refused(exporting('run', 'x/a.pt', { licence: 'CC BY: 4' }), 'bad-argument', /such as cc-by-4\.0/);
    await refused(exporting('missing', 'x/a.pt'), 'not-found', /missing/);
    assert.deepEqual(await readdir(join(folder, 'x')), []);
    for (const [args, part] of [
      [[], /--out FILE\.pt or --to-hub OWNER\/NAME/],
      [['--out', 'a.pt', '--public'], /--public: expected --to-hub as well/],
      [['--to-hub', 'a/b', '--out', 'a.pt'], /--out/],
    ] as const) {
      const { code, stderr } = await lincir(['export', 'run', ...args]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, part);
    }
  });

  test("PyTorch reads it with weights_only, and the card's example gives what lincir gives", async (context) => {
    const python = await pythonWith('torch', 'safetensors');
    if (typeof python === 'string') return context.skip(python);
    const reference = join(fixtures, 'phi/reference.safetensors');
    const originals = ['lincir', 'searle', 'pic2word'].map((name) => join(fixtures, `phi/${name}.pt`));
    const places = originals.map((_, at) => join(folder, `python-${at}`));
    for (const [at, original] of originals.entries()) {
      await mkdir(places[at]!);
      await exportPhi(original, { out: join(places[at]!, 'phi.pt') });
    }
    const printed = await python([join(fixtures, 'read_exported_phi.py'), reference, ...places]);
    const { tensors } = await readingFile(reference, readSafetensorsHeader);
    const embeddings = await readTensor(tensors.get('embeddings')!);
    for (const [at, line] of printed.trim().split('\n').entries()) {
      const { keys, hashes, outputs } = JSON.parse(line);
      const [key, prefix] = at === 2 ? ['state_dict_img2text', 'module.'] : ['Phi', ''];
      const { parameters } = await readPhi(await fileSource(originals[at]!));
      assert.deepEqual(
        keys[key],
        [...parameters.keys()].map((name) => prefix + name),
      );
      assert.ok(keys.lincir.includes('architecture'));
      for (const [name, { data }] of parameters) {
        const hash = createHash('sha256').update(new Uint8Array(data.buffer)).digest('hex');
        assert.equal(hashes[prefix + name], hash);
      }
      const phi = await loadPhi(join(places[at]!, 'phi.pt'));
      const { data } = await phi.encode(embeddings);
      await phi.dispose();
      const values: number[] = outputs.flat();
      assert.equal(values.length, data.length);
      assert.ok(values.every((value, index) => Math.abs(value - data[index]!) < 1e-5));
    }
  });
});

describe('to the hub', () => {
  const token = 'hf_secret';

  test('one command publishes a run, and its name loads it again', async (context) => {
    const { hub, options, home } = await setUp(context, []);
    const uploads = acceptUploads(hub, { token, partBytes: 20_000 });
    const environment = { HF_HOME: home, HF_ENDPOINT: hub.endpoint, HF_TOKEN: token };
    const told = await succeeds(
      ['export', 'run', '--to-hub', 'acme/my-phi', '--licence', 'mit'],
      environment,
    );
    assert.match(told, /run → http.*\/acme\/my-phi\n.*is private: .*\/settings .*\n.*--phi acme\/my-phi\n/);
    assert.ok(uploads.received.length > 1);
    const card = fileIn(hub, 'acme/my-phi', 'README.md').toString();
    assert.match(card, /^# my-phi$/m);
    assert.match(card, /^license: mit$/m);
    assert.match(card, /hf_hub_download\('acme\/my-phi', 'lincir\.pt'\)/);
    assert.match(card, /--phi acme\/my-phi /);

    const phi = await loadPhi('acme/my-phi', { ...options, environment });
    const { info, parameters } = await phiIn('run/phi-best.safetensors');
    const { model: _, ...known } = info;
    assert.deepEqual(phi.info, known);
    await phi.dispose();
    const cached = join(
      home,
      'hub/models--acme--my-phi/snapshots',
      hub.models.get('acme/my-phi')!.commit,
      'lincir.pt',
    );
    assert.deepEqual((await readPhi(await fileSource(cached))).parameters, parameters);

    const sent = uploads.received.length;
    const again = await succeeds(
      ['export', 'run', '--to-hub', 'acme/my-phi', '--licence', 'mit', '--json'],
      environment,
    );
    const { isUnchanged, isNew, files, commit } = JSON.parse(again);
    assert.deepEqual([isUnchanged, isNew, files], [true, false, ['lincir.pt', 'README.md']]);
    assert.equal(commit, hub.models.get('acme/my-phi')!.commit);
    assert.equal(uploads.received.length, sent);
  });

  test('after a kill in the middle of an upload, the same command goes on and cleans up', async (context) => {
    const { hub, home } = await setUp(context, []);
    const uploads = acceptUploads(hub, { token, partBytes: 1e9 });
    const temporary = join(home, 'temporary');
    await mkdir(temporary);
    const environment = { HF_HOME: home, HF_ENDPOINT: hub.endpoint, HF_TOKEN: token, TMPDIR: temporary };
    const args = ['export', 'run', '--to-hub', 'acme/killed'];
    uploads.faults.set('put', { status: 503 });
    const child = start(args, { folder, environment });
    const ended = once(child, 'exit');
    while (hub.requestsFor('all').length === 0) await pause(10);
    child.kill('SIGKILL');
    await ended;
    assert.equal((await readdir(temporary)).length, 1);
    assert.deepEqual(Object.keys(hub.models.get('acme/killed')!.files), ['.gitattributes']);
    uploads.faults.clear();
    await succeeds(args, environment);
    assert.equal(fileIn(hub, 'acme/killed', 'README.md').toString().startsWith('---\n'), true);
    assert.equal(uploads.commits.length, 1);
    assert.deepEqual(await readdir(temporary), []);
  });

  test('a published phi keeps its licence and names its model', async (context) => {
    const files = { 'lincir_large.pt': await readFile(join(fixtures, 'phi/lincir.pt')) };
    const authors = { id: 'navervision/zeroshot-cir-models', commit: 'a'.repeat(40), files };
    const { options, home } = await setUp(context, [authors]);
    const out = join(home, 'lincir.pt');
    await exportPhi('lincir-large', { environment: options.environment, out });
    const card = await readFile(join(home, 'README.md'), 'utf8');
    assert.match(card, /^license: cc-by-nc-4\.0$/m);
    assert.match(card, /^base_model: "openai\/clip-vit-large-patch14"$/m);
    assert.match(card, /It is the one from https:.*navervision/);
    const { info } = await readPhi(await fileSource(out));
    assert.equal(info.model, 'openai/clip-vit-large-patch14');
  });

  test('a refusal is one line without the token, and leaves nothing behind', async (context) => {
    const { hub, home } = await setUp(context, []);
    const uploads = acceptUploads(hub, { token: 'hf_another', partBytes: 1e9 });
    const temporary = join(home, 'temporary');
    await mkdir(temporary);
    const environment = { HF_HOME: home, HF_ENDPOINT: hub.endpoint, HF_TOKEN: token, TMPDIR: temporary };
    const { code, stdout, stderr } = await lincir(['export', 'run', '--to-hub', 'acme/phi'], environment);
    assert.equal(code, 1);
    assert.match(stderr, /^lincir: upload to acme\/phi: expected a token that the hub knows, .*\n$/);
    assert.doesNotMatch(stdout + stderr, /hf_secret/);
    assert.equal(uploads.commits.length, 0);
    assert.deepEqual(await readdir(temporary), []);
  });
});
