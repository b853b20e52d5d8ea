/** `lincir index` and `reindex` as a user meets them: real processes on a tiny model. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { lincir as lincirIn } from './command-line.ts';

const model = join(import.meta.dirname, 'fixtures/tiny-clip');
const mini = join(import.meta.dirname, '../models/mini');
const pictures = join(import.meta.dirname, '../examples/pictures');
const house = 'photos/house-with-red-roof.png';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-index-'));
  await cp(pictures, join(folder, 'photos'), { recursive: true });
  await writeFile(join(folder, 'photos/broken.jpg'), 'no image');
  await writeFile(join(folder, 'ratings.csv'), `path,rating\n${house},5\nnone.png,1\n`);
  const { stderr, code } = await lincir(
    ...['index', 'photos', '--index', 'p.lance', '--model', model, '--metadata', 'ratings.csv'],
  );
  assert.equal(code, 0, stderr);
  const [broken, summary, table, warning, ...others] = stderr.trimEnd().split('\n');
  assert.match(broken!, /^broken: .*\/photos\/broken\.jpg: expected a whole image/);
  assert.match(summary!, /^6 images \(6 new\), 1 broken, .* images\/s → p\.lance$/);
  assert.equal(table, 'ratings.csv: 2 rows for 1 image, 1 of them changed');
  assert.match(warning!, /^warning: ratings\.csv: 1 row names no image of the index, such as "none\.png"$/);
  assert.deepEqual(others, []);
});
after(() => rm(folder, { recursive: true }));

const lincir = (...args: string[]) => lincirIn(args, { folder });

describe('index', () => {
  test('shows what is in it', async () => {
    const { stdout, code } = await lincir('index', '--stats', '--index', 'p.lance');
    assert.equal(code, 0);
    assert.match(stdout, /^images +6$/m);
    assert.match(stdout, /^columns +.*rating \(number\), taken \(time\)/m);
    assert.match(stdout, /^broken: .*broken\.jpg: expected a whole image/m);
    const json = JSON.parse((await lincir('index', '--stats', '--index', 'p.lance', '--json')).stdout);
    assert.deepEqual([json.images, json.broken.length, json.dimensions], [6, 1, 24]);
  });

  test('takes what lincir embed wrote, lists and removals; says what it did as JSON', async () => {
    await lincir('embed', '--model', model, '--images', 'photos/*.png', '--out', 'e.safetensors');
    const added = await lincir(
      'index',
      '--embeddings',
      'e.safetensors',
      '--index',
      'e.lance',
      '--model',
      model,
      '--json',
    );
    assert.deepEqual(JSON.parse(added.stdout), {
      embeddings: 'e.safetensors',
      added: 2,
      changed: 0,
      unchanged: 0,
    });
    const found = await lincir('search', '--index', 'e.lance', '--image', house, '--paths');
    assert.deepEqual(found.stdout.trim().split('\n').length, 2);

    const list = await lincirIn(
      ['index', '--list', '-', '--index', 'l.lance', '--model', model, '--json', '--precision', 'float16'],
      {
        folder,
        input: `${house}\0photos/black-cat-indoors.webp\0`,
      },
    );
    const { added: two, broken } = JSON.parse(list.stdout);
    assert.deepEqual([two, broken], [2, []]);
    const removed = await lincir('index', '--remove', house, '--index', 'l.lance');
    assert.equal(removed.stderr, '1 image taken out of l.lance\n');
    const none = await lincir('index', '--remove', house, 'x.png', '--index', 'l.lance');
    assert.deepEqual([none.code, none.stdout], [1, '']);
    assert.match(
      none.stderr,
      /^lincir: --remove ".*": expected ids or paths of images in the index, found none of/,
    );
    const whole = await lincir('index', '--remove', 'photos', '--index', 'l.lance');
    assert.match(whole.stderr, /^lincir: --remove "photos": .*, found a folder; give its images/);
    const some = await lincir(
      'index',
      '--remove',
      'photos/black-cat-indoors.webp',
      'x.png',
      '--index',
      'l.lance',
    );
    assert.equal(
      some.stderr,
      'warning: --remove: 1 name of no image in l.lance\n1 image taken out of l.lance\n',
    );
  });

  test('advises a command that does it when it is pasted: for another model, padding, precision, or place', async () => {
    const index = "the house's.lance";
    await cp(model, join(folder, 'my model'), { recursive: true });
    await lincir('index', house, '--index', index, '--model', 'my model');
    const add = (...args: string[]) => lincir('index', house, '--index', index, ...args);
    for (const [args, options] of [
      [['--target-pad', '1.5'], ' --target-pad 1.5'],
      [['--model', model, '--precision', 'float16'], ` --model ${model} --precision float16`],
      [
        ['--model', 'my model', '--precision', 'int8'],
        ` --model '${join(folder, 'my model')}' --precision int8`,
      ],
      [['--model', mini, '--precision', 'float32'], ` --model mini --precision float32`],
      [
        ['--model', model, '--precision', 'float16', '--target-pad'],
        ` --model ${model} --precision float16 --target-pad 1.25`,
      ],
    ] as const) {
      const { stderr, code } = await add(...args);
      assert.equal(code, 2);
      const [, advised] = /: (lincir reindex .*)$/m.exec(stderr) ?? [];
      assert.equal(advised, `lincir reindex --index 'the house'\\''s.lance'${options}`);
      const words = execFileSync('sh', ['-c', `printf '%s\\n' ${advised}`], { encoding: 'utf8' });
      const done = await lincir(...words.trim().split('\n').slice(1));
      assert.equal(done.code, 0, done.stderr);
      assert.equal((await add(...args)).code, 0);
    }
  });

  test('rebuilds beside the old one, which stays if most images are gone', async () => {
    await mkdir(join(folder, 'few'));
    for (const name of ['a.png', 'c.png']) await cp(join(folder, house), join(folder, 'few', name));
    const made = await lincir('index', 'few', '--index', 'f.lance', '--model', model, '--stats');
    assert.match(made.stdout, /^images +2$/m);
    await rename(join(folder, 'few/a.png'), join(folder, 'few/b.png'));
    const { stderr, code } = await lincir('reindex', '--index', 'f.lance', '--precision', 'float16');
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^broken: .*few\/a\.png: .*no such file/);
    const again = await lincir('index', 'few', '--index', 'f.lance');
    assert.match(again.stderr, /^2 images \(1 new, 1 unchanged\)/);

    await rename(join(folder, 'few'), join(folder, 'elsewhere'));
    const refused = await lincir('reindex', '--index', 'f.lance', '--precision', 'float32');
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /expected most of its 2 images where they were, found 0 that can be read; the old index is kept/,
    );
    const kept = JSON.parse((await lincir('index', '--stats', '--index', 'f.lance', '--json')).stdout);
    assert.deepEqual([kept.images, kept.precision], [2, 'float16']);
    const names = await lincir('index', 'elsewhere', '--index', 'f.lance', '--names', 'names.txt');
    assert.match(names.stderr, /--names: expected at most a file for each of --embeddings, found 1 for 0/);
  });
});
