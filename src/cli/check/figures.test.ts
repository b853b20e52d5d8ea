/** `lincir check --phi`: figures that are known, those here, and a benchmark whose answers are secret, on the miniature world. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { writePicture } from '../../../test/pictures.ts';
import {
  compareFigures,
  kindNamed,
  type PublishedFigures,
  publishedFigures,
  type Results,
} from '../../benchmarks/index.ts';
import { phiPresets } from '../../hub/index.ts';
import type { Context } from '../context.ts';
import { Reporter } from '../terminal/progress.ts';
import { checkFigures } from './figures.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-figures-'));
  await mkdir(join(folder, 'own/images'), { recursive: true });
  for (let at = 0; at < 12; at += 1) await writePicture(join(folder, `own/images/${at}.png`), at);
  const lines = [0, 1, 2].map((at) => ({
    ...{ reference: `images/${at}.png`, text: 'in another colour', targets: [`images/${at + 3}.png`] },
  }));
  await writeFile(
    join(folder, 'own/queries.jsonl'),
    lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
  );
  await writeSecretCirr(join(folder, 'cirr'));
  process.env.LINCIR_CACHE = join(folder, 'cache');
});
after(() => rm(folder, { recursive: true }));

/** CIRR's test split in small: without targets. */
async function writeSecretCirr(root: string): Promise<void> {
  for (const name of ['cirr/captions', 'cirr/image_splits', 'test1']) {
    await mkdir(join(root, name), { recursive: true });
  }
  const names = Array.from({ length: 60 }, (_, at) => `test1-${at}`);
  for (const [at, name] of names.entries()) await writePicture(join(root, 'test1', `${name}.png`), at);
  const captions = [0, 1].map((at) => ({
    ...{ pairid: 100 + at, reference: names[at], caption: 'is red' },
    img_set: { id: at, members: names.slice(at, at + 6) },
  }));
  const paths = Object.fromEntries(names.map((name) => [name, `./test1/${name}.png`]));
  await writeFile(join(root, 'cirr/captions/cap.rc2.test1.json'), JSON.stringify(captions));
  await writeFile(join(root, 'cirr/image_splits/split.rc2.test1.json'), JSON.stringify(paths));
}

function known(figures: Record<string, number>): PublishedFigures {
  const source = 'a test';
  return {
    phi: 'mini',
    method: 'lincir',
    benchmark: 'custom',
    options: {},
    figures,
    tolerance: 0.3,
    source,
  };
}
const secret: PublishedFigures = {
  ...known({ 'R@1': 25.4 }),
  ...{ benchmark: 'cirr', options: { split: 'test1', anyVersion: true } },
};

/** Runs the command, and gives what it prints. */
async function checked(
  options: Partial<Parameters<typeof checkFigures>[0]>,
  rows?: readonly PublishedFigures[],
): Promise<string[]> {
  const lines: string[] = [];
  const context: Context = {
    print: (line) => lines.push(line),
    reporter: new Reporter({ isTTY: false, write: () => true } as unknown as NodeJS.WriteStream),
    told: (message) => message,
    signal: new AbortController().signal,
  };
  const given = { phi: 'mini', model: 'mini', data: join(folder, 'own'), ...options };
  await checkFigures(given, context, rows).catch((error: Error) => lines.push(`error: ${error.message}`));
  return lines;
}

test('figures are measured, and beside those that are known', async () => {
  const [json] = await checked({ json: true }, [known({ 'R@1': 0 })]);
  const { figures } = JSON.parse(json!);
  const { here } = figures[0];
  assert.ok(here >= 0 && here <= 100);
  const right = await checked({}, [secret, known({ 'R@1': here + 0.2 })]);
  assert.match(
    right.join('\n'),
    /^custom +known +here +difference\nR@1 .* -0\.20 +right\nknown from a test; /,
  );
  const wrong = await checked({}, [known({ 'R@1': here + 0.4, 'R@5': 50 })]);
  assert.match(wrong[1]!, /^R@1 .* -0\.40 +wrong$/);
  assert.match(wrong.at(-1)!, /^error: phi "mini" on custom: expected the known figures, found \d of 2 /);
});

test('an earlier evaluation is compared with, if it is of the same queries', async () => {
  const [json] = await checked({ json: true }, [known({ 'R@1': 0, 'R@5': 0 })]);
  const [first, second] = JSON.parse(json!).figures;
  const results = {
    ...{ version: 1, benchmark: 'custom', preset: 'custom', folder: 'own', limit: null, images: 12 },
    options: { split: null, variant: null, only: null, anyVersion: false },
    ...{ sha256: 'f'.repeat(64), queries: ['1', '2', '3'], metrics: ['R@1', 'R@5'], primaryMetric: 'R@1' },
    ...{ mean: 'queries', seconds: {}, versions: {}, date: '2026-01-01T00:00:00.000Z' },
    methods: [
      {
        ...{ name: 'lincir', settings: {}, prompt: { composed: '$', text: '{text}' }, groups: {} },
        figures: Object.fromEntries(
          [first, second].map(({ what, here }) => [what, { value: here / 100, low: 0, high: 1 }]),
        ),
        perQuery: { 'R@1': [0, 0, 0], 'R@5': [0, 0, 0] },
      },
    ],
  };
  const file = join(folder, 'results.json');
  await writeFile(file, JSON.stringify(results));
  const other = await checked({ values: file });
  assert.match(other.at(-1)!, /expected the annotations of .*results\.json, found others of the same name/);
  const own = JSON.parse(await readFile(file, 'utf8')) as Results;
  const rows = compareFigures(
    { ...known({ 'R@1': first.here, 'R@5': second.here }), sha256: own.sha256 },
    own,
  );
  assert.ok(rows.every(({ isSame }) => isSame));
  await writeFile(file, JSON.stringify({ ...results, limit: 2 }));
  assert.match((await checked({ values: file })).at(-1)!, /for all queries, found 2 queries/);
});

test('of secret answers, it writes what the server takes, and compares nothing', async () => {
  const data = join(folder, 'cirr');
  assert.match((await checked({ data }, [secret])).at(-1)!, /cirr test1, any version: expected --out/);
  const lines = await checked({ data, out: join(folder, 'submission') }, [secret]);
  assert.match(lines[1]!, /^R@1 +25\.40 +– +– +not compared$/);
  const files = lines.slice(-2).map((line) => line.trim());
  for (const file of files) assert.equal(JSON.parse(await readFile(file, 'utf8')).version, 'rc2');
  const open = await checked({ out: join(folder, 'submission') }, [known({ 'R@1': 0 })]);
  assert.match(open.at(-1)!, /--out: expected a benchmark whose answers are secret/);
});

test('a phi, a model and a folder that are not known are refused with what is', async () => {
  assert.match((await checked({ model: undefined })).at(-1)!, /expected a published phi: lincir-large,/);
  assert.match((await checked({})).at(-1)!, /"mini": expected a phi of which figures are published/);
  const [line] = await checked({ phi: 'phis/lincir_large.pt' });
  assert.match(line!, /expected one of circo test, cirr test1, fashioniq val, genecis, .* found none: no /);
});

test('published figures are of presets, benchmarks and metrics that there are', () => {
  for (const { phi, benchmark, options, figures } of publishedFigures) {
    assert.ok(phiPresets.some(({ name }) => name === phi));
    const { splits, parts } = kindNamed(benchmark);
    assert.ok(options.split === undefined || splits.includes(options.split));
    assert.ok((options.only ?? []).every((part) => parts.includes(part)));
    for (const metric of Object.keys(figures)) assert.match(metric, /^(subset )?(R|mAP)@\d+$/);
  }
});
