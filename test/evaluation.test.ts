/** `lincir eval`, `score`, `submit`, `compare` and `train --validate` as a user meets them: real processes on a tiny model. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { lincir as lincirIn } from './command-line.ts';
import { writePicture } from './pictures.ts';

const fixtures = join(import.meta.dirname, 'fixtures');
const model = join(fixtures, 'tiny-clip');
const captions = join(import.meta.dirname, '../examples/captions.txt');

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-evaluation-'));
  await writeCirr(join(folder, 'cirr-data'), 'val');
  await writeCirr(join(folder, 'cirr-data'), 'test1');
});
after(() => rm(folder, { recursive: true }));

const pictures = 60;
const queries = 12;

/** A split of CIRR in small, in the official layout. */
async function writeCirr(root: string, split: 'val' | 'test1'): Promise<void> {
  await mkdir(join(root, 'cirr/captions'), { recursive: true });
  await mkdir(join(root, 'cirr/image_splits'), { recursive: true });
  await mkdir(join(root, split), { recursive: true });
  const names = Array.from({ length: pictures }, (_, at) => `${split}-${at}`);
  for (const [at, name] of names.entries()) await writePicture(join(root, split, `${name}.png`), at);
  const paths = names.map((name) => [name, `./${split}/${name}.png`]);
  const captions = Array.from({ length: queries }, (_, at) => {
    const members = names.slice(at, at + 6);
    return {
      pairid: 100 + at,
      reference: members[0],
      ...(split === 'val' && { target_hard: members[3], target_soft: {} }),
      caption: ['is red', 'has two dogs', 'costs $3'][at % 3],
      img_set: { id: at, members },
    };
  });
  await writeFile(join(root, `cirr/captions/cap.rc2.${split}.json`), JSON.stringify(captions));
  await writeFile(
    join(root, `cirr/image_splits/split.rc2.${split}.json`),
    JSON.stringify(Object.fromEntries(paths)),
  );
}

const environment = () => ({ LINCIR_CACHE: join(folder, 'cache') });
const lincir = (...args: string[]) => lincirIn(args, { folder, environment: environment() });
const cirr = ['--data', 'cirr-data', '--any-version'];

describe('eval', () => {
  test('train --validate keeps the best phi by a benchmark; eval measures it beside what needs no training', async () => {
    const trained = await lincir(
      ...['train', '--model', model, '--captions', captions, '--out', 'run', '--steps', '4', '--batch', '8'],
      ...['--validate', 'custom:mine', '--validate-every', '2'],
    );
    assert.equal(trained.code, 1);
    assert.match(trained.stderr, /mine.queries\.jsonl/);
    await mkdir(join(folder, 'mine/images'), { recursive: true });
    for (let at = 0; at < 5; at += 1) await writePicture(join(folder, `mine/images/${at}.png`), at);
    const line = { reference: 'images/0.png', text: 'is red', targets: ['images/1.png'] };
    await writeFile(join(folder, 'mine/queries.jsonl'), `${JSON.stringify(line)}\n`);
    const again = await lincir(
      ...['train', '--model', model, '--captions', captions, '--out', 'run', '--steps', '4', '--batch', '8'],
      ...['--validate', 'custom:mine', '--validate-every', '2'],
    );
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stderr, /step 2, custom: R@1 \S+, .*mAP@10 .*\(best so far\)/);

    const { stdout, stderr, code } = await lincir(
      'eval',
      'cirr',
      ...cirr,
      '--model',
      model,
      '--phi',
      'run',
      '--out',
      'a',
    );
    assert.equal(code, 0, stderr);
    const [head, , columns, ...rows] = stdout.split('\n');
    assert.match(head!, /^cirr val, any version, 12 queries, 60 images, /);
    assert.match(columns!, /R@1 +R@5 +R@10 +R@50 +subset R@1 +subset R@2 +subset R@3$/);
    assert.deepEqual(
      rows.slice(0, 5).map((row) => row.split(' ')[0]),
      ['lincir', 'image', 'text', 'sum', 'slerp'],
    );
    assert.match(stdout, /image − lincir .* p (\d\.\d{3}|< 0\.001)/);
    assert.deepEqual((await readdir(join(folder, 'a'))).sort(), [
      'rankings-image.jsonl',
      'rankings-lincir.jsonl',
      'rankings-slerp.jsonl',
      'rankings-sum.jsonl',
      'rankings-text.jsonl',
      'report.html',
      'results.json',
    ]);
    const results = JSON.parse(await readFile(join(folder, 'a/results.json'), 'utf8'));
    assert.equal(results.methods[0].settings.phi, join('run', 'phi-best.safetensors'));
    assert.match(results.methods[0].settings.sha256, /^[\da-f]{64}$/);
    assert.match(await readFile(join(folder, 'a/report.html'), 'utf8'), /cirr val/);

    const second = await lincir('eval', 'cirr', ...cirr, '--model', model, '--methods', 'text', '--out', 'a');
    assert.equal(second.code, 2);
    assert.match(second.stderr, /--out a: expected a folder without results, found .*choose another --out/);
    assert.deepEqual(JSON.parse(await readFile(join(folder, 'a/results.json'), 'utf8')), results);
    assert.equal((await readdir(join(folder, 'a'))).length, 7);
  });

  test('goes over what a run without results left, but not beside rankings by other methods', async () => {
    const command = ['eval', 'cirr', ...cirr, '--model', model, '--out', 'left', '--methods'];
    await mkdir(join(folder, 'left'));
    await writeFile(join(folder, 'left/rankings-text.jsonl'), 'half');
    const beside = await lincir(...command, 'image');
    assert.equal(beside.code, 2);
    assert.match(beside.stderr, /found rankings-text\.jsonl/);
    const over = await lincir(...command, 'text');
    assert.equal(over.code, 0, over.stderr);
    assert.deepEqual((await readdir(join(folder, 'left'))).sort(), [
      'rankings-text.jsonl',
      'report.html',
      'results.json',
    ]);
  });

  test('a limit is told everywhere', async () => {
    const args = ['--model', model, '--methods', 'image,text', '--limit', '5', '--out', 'few'];
    const { stdout, stderr, code } = await lincir('eval', 'cirr', ...cirr, ...args);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /ONLY 5 QUERIES: not comparable/);
    assert.equal(JSON.parse(await readFile(join(folder, 'few/results.json'), 'utf8')).limit, 5);
    assert.match(await readFile(join(folder, 'few/report.html'), 'utf8'), /not comparable/);
  });

  test('prompts: another, and several', async () => {
    const args = ['--model', model, '--phi', 'run', '--methods', 'lincir', '--out', 'prompts'];
    const { stdout, stderr, code } = await lincir(
      ...['eval', 'cirr', ...cirr, ...args, '--prompts', 'all', '--prompt', '$ now {text}'],
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /lincir, R@1 by prompt: \S+ to \S+\n\$ now {text} +\S+\n/);
  });

  const refusals: [string, string[], RegExp, number][] = [
    [
      'other counts',
      ['cirr', '--data', 'cirr-data', '--model', model],
      /expected 4181 queries.*--any-version/,
      1,
    ],
    [
      'a folder without it',
      ['cirr', '--data', 'mine', '--model', model],
      /github\.com.*CIRR[\s\S]*cap\.rc2\.val/,
      1,
    ],
    [
      'a split with secret answers',
      ['cirr', ...cirr, '--split', 'test1', '--model', model],
      /secret.*submit cirr/,
      2,
    ],
    [
      'a method without its phi',
      ['cirr', ...cirr, '--model', model, '--methods', 'searle'],
      /--searle FILE/,
      2,
    ],
    [
      'methods that are none',
      ['cirr', ...cirr, '--model', model, '--methods', 'magic'],
      /'magic' is invalid/,
      2,
    ],
    [
      'a prompt without $',
      ['cirr', ...cirr, '--model', model, '--prompt', 'a {text}'],
      /a prompt with \$, once or more/,
      2,
    ],
    ['parts it has not', ['cirr', ...cirr, '--model', model, '--only', 'dress'], /only: expected/, 2],
    [
      'no part at all',
      ['fashioniq', '--data', '.', '--only', '', '--model', model],
      /only: expected some of dress/,
      2,
    ],
    [
      'a weight past the text',
      ['cirr', ...cirr, '--model', model, '--methods', 'slerp', '--slerp-weight', '1.5'],
      /weight of slerp: expected a number from 0 to 1, found 1\.5/,
      2,
    ],
    ['a benchmark that is none', ['imagenet', '--data', '.', '--model', model], /Allowed choices/, 2],
  ];
  for (const [what, args, message, exit] of refusals) {
    test(`refuses ${what}`, async () => {
      const { stdout, stderr, code } = await lincir('eval', ...args);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n\s+at /);
      assert.deepEqual([stdout, code], ['', exit]);
    });
  }

  test('refuses when images are missing, and names them', async () => {
    const root = join(folder, 'gaps');
    await writeCirr(root, 'val');
    await rm(join(root, 'val/val-7.png'));
    await writeFile(join(root, 'val/val-9.png'), '');
    const { stderr, code } = await lincir(
      'eval',
      'cirr',
      '--data',
      'gaps',
      '--any-version',
      '--model',
      model,
    );
    assert.equal(code, 1);
    assert.match(
      stderr,
      /warning: .*val-7\.png: nothing there\nwarning: .*val-9\.png: an empty file\ncirr: https.*\nlincir: /,
    );
  });
});

describe('score, submit and compare', () => {
  test("what submit writes is what score takes; the server's rules hold", async () => {
    const submitted = await lincir(
      ...[
        'submit',
        'cirr',
        ...cirr,
        '--split',
        'val',
        '--model',
        model,
        '--methods',
        'sum',
        '--out',
        'submission',
      ],
    );
    assert.equal(submitted.code, 0, submitted.stderr);
    const files = submitted.stdout.trimEnd().split('\n');
    assert.deepEqual(files, [
      join('submission', 'cirr-val-recall-sum.json'),
      join('submission', 'cirr-val-recall_subset-sum.json'),
    ]);
    const recall = JSON.parse(await readFile(join(folder, files[0]!), 'utf8'));
    assert.deepEqual([recall.version, recall.metric, recall['100'].length], ['rc2', 'recall', 50]);

    const scored = await lincir('score', 'cirr', ...cirr, '--predictions', ...files, '--out', 'scored');
    assert.equal(scored.code, 0, scored.stderr);
    const measured = await lincir(
      'eval',
      'cirr',
      ...cirr,
      '--model',
      model,
      '--methods',
      'sum',
      '--out',
      'b',
    );
    const figures = (text: string) => text.split('\n').find((line) => /^(predictions|sum) /.test(line))!;
    assert.deepEqual(
      figures(scored.stdout).split(/ +/).slice(1),
      figures(measured.stdout).split(/ +/).slice(1),
    );

    const part = await lincir('score', 'cirr', ...cirr, '--predictions', files[1]!);
    assert.match(part.stdout, /^ +subset R@1 +subset R@2 +subset R@3$/m);

    const compared = await lincir('compare', 'scored', 'b');
    assert.equal(compared.code, 0, compared.stderr);
    assert.match(compared.stdout, /^cirr val.*, 12 queries\nA: predictions, .*\nB: .*tiny-clip/);
    assert.match(compared.stdout, /^predictions and sum +A +B +B − A +95 % +p\nR@1 /m);

    recall['101'].pop();
    await writeFile(join(folder, 'short.json'), JSON.stringify(recall));
    const short = await lincir('score', 'cirr', ...cirr, '--predictions', 'short.json');
    assert.equal(short.code, 1);
    assert.match(short.stderr, /short\.json: query 101: expected 50 ids, found 49/);
  });

  test('submit takes the split with secret answers', async () => {
    const { stdout, stderr, code } = await lincir(
      ...['submit', 'cirr', ...cirr, '--model', model, '--phi', 'run', '--out', 'secret'],
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /cirr-test1-recall-lincir\.json/);
  });

  test('tables and comparisons say what precision images were encoded in', async () => {
    const words = ['eval', 'cirr', ...cirr, '--model', model, '--methods', 'image', '--limit', '3'];
    const int8 = await lincir(...words, '--precision', 'int8', '--out', 'int8');
    assert.equal(int8.code, 0, int8.stderr);
    assert.match(int8.stdout, /^cirr val.*tiny-clip in int8$/m);
    const results = JSON.parse(await readFile(join(folder, 'int8/results.json'), 'utf8'));
    assert.equal(results.model.precision, 'int8');
    const usual = await lincir(...words, '--out', 'usual');
    assert.match(usual.stdout, /^cirr val.*tiny-clip$/m);
    const mixed = await lincir('compare', 'usual', 'int8');
    assert.match(
      mixed.stdout,
      /^B: .*tiny-clip in int8, .*\nThe precision differs, .*: A is float32, B is int8\.$/m,
    );
    const same = await lincir('compare', 'int8', 'int8', '--json');
    assert.deepEqual(JSON.parse(same.stdout).precisions, { a: 'int8', b: 'int8' });
    assert.doesNotMatch((await lincir('compare', 'int8', 'int8')).stdout, /differs/);
  });

  test('compare refuses what is no result, or of another benchmark', async () => {
    await writeFile(join(folder, 'no.json'), '{"version":2}');
    const bad = await lincir('compare', 'no.json', 'b');
    assert.equal(bad.code, 1);
    assert.match(bad.stderr, /no\.json: version: expected 1, found 2/);
    await lincir('eval', 'custom', '--data', 'mine', '--model', model, '--methods', 'image', '--out', 'c');
    const other = await lincir('compare', 'b', 'c');
    assert.equal(other.code, 2);
    assert.match(other.stderr, /one benchmark, split and variant, found cirr val.* and custom/);
  });
});
