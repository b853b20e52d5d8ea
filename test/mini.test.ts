/** The miniature world from captions to answers, as `npm run demo` goes, shortened: phi finds more than anything without training. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { readResults } from '../src/benchmarks/index.ts';
import { sceneSvg } from '../src/mini/index.ts';
import { lincir as lincirIn } from './command-line.ts';

/** How much more LinCIR finds, at least, than the best of what needs no training. The whole demo shows more. */
const margin = 1.05;
const demo = join(import.meta.dirname, '../scripts/demo.ts');

let folder: string;
let output: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-demo-'));
  // One thread, since other tests run beside this one: several would mostly wait for one another.
  const sizes = ['--steps', '75', '--images', '1600', '--queries', '250', '--threads', '1'];
  const { stdout } = await promisify(execFile)(process.execPath, [demo, '--out', 'demo', ...sizes], {
    cwd: folder,
  });
  output = stdout;
});
after(() => rm(folder, { recursive: true }));

describe('the demo', () => {
  test('finds more with phi than images, words and their sums do', async () => {
    const { methods, primaryMetric } = await readResults(join(folder, 'demo/evaluation/results.json'));
    const figures = new Map(methods.map(({ name, figures: all }) => [name, all[primaryMetric]!.value]));
    const { lincir, ...others } = Object.fromEntries(figures);
    assert.deepEqual(Object.keys(others), ['image', 'text', 'sum', 'slerp']);
    const best = Math.max(...Object.values(others));
    assert.ok(lincir! > margin * best, JSON.stringify({ lincir, ...others }));
  });

  test('prints the table and writes pages with right answers marked', async () => {
    assert.match(output, /^lincir +\d+\.\d\d ±/m);
    assert.match(output, /→ demo\/index\.html\n$/);
    const page = await readFile(join(folder, 'demo/index.html'), 'utf8');
    assert.equal(page.match(/<article>/g)?.length, 20);
    assert.ok(page.match(/<li class="right">/g)!.length > 10);
    assert.deepEqual((await readdir(join(folder, 'demo'))).sort(), [
      'cache',
      'evaluation',
      'index.html',
      'index.lance',
      'phi',
      'world',
    ]);
  });

  test("its index answers to drawings of one's own", async () => {
    const object = {
      shape: 'star',
      colour: 'blue',
      texture: 'plain',
      size: 'large',
      position: 'left',
      number: 1,
    } as const;
    const svg = sceneSvg({ background: 'beach', objects: [object] }, 200);
    await writeFile(join(folder, 'mine.png'), await sharp(Buffer.from(svg)).png().toBuffer());
    const args = ['search', '--model', 'mini', '--index', 'demo/index.lance', '--phi', 'demo/phi'];
    const { stdout, stderr, code } = await lincirIn([...args, '--image', 'mine.png', '--text', 'is red'], {
      folder,
    });
    assert.equal(code, 0, stderr);
    assert.equal(stdout.trimEnd().split('\n').length, 10);
  });
});
