/** `lincir search` as a user meets it: real processes on a tiny model. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { lincir as lincirIn, start as startIn } from './command-line.ts';
import { setUp } from './hub-setup.ts';

const model = join(import.meta.dirname, 'fixtures/tiny-clip');
const pictures = join(import.meta.dirname, '../examples/pictures');
const captions = join(import.meta.dirname, '../examples/captions.txt');

let folder: string;
let server: Server;
let address: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-search-'));
  await cp(pictures, join(folder, 'photos'), { recursive: true });
  await writeFile(join(folder, 'photos/broken.jpg'), 'no image');
  await writeFile(join(folder, 'ratings.csv'), 'path,rating\nphotos/house-with-red-roof.png,5\nnone.png,1\n');
  server = createServer(async (request, response) => {
    response.setHeader('content-type', request.url === '/page' ? 'text/html' : 'image/png');
    response.end(await readFile(join(pictures, 'house-with-red-roof.png')));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const trained = await lincir(
    'train',
    '--model',
    model,
    '--captions',
    captions,
    '--out',
    'run',
    '--steps',
    '3',
    '--batch',
    '8',
  );
  assert.equal(trained.code, 0, trained.stderr);
  const { stderr, code } = await lincir(
    'index',
    'photos',
    '--index',
    'p.lance',
    '--model',
    model,
    '--metadata',
    'ratings.csv',
  );
  assert.equal(code, 0, stderr);
});
after(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

const lincir = (...args: string[]) => lincirIn(args, { folder });
const search = (...args: string[]) => lincir('search', '--index', 'p.lance', ...args);
const house = 'photos/house-with-red-roof.png';

describe('search', () => {
  test('takes a phi from the hub, once, and tells of its licence', async (context) => {
    const files = { 'phi.safetensors': await readFile(join(folder, 'run/phi-latest.safetensors')) };
    const phi = { id: 'acme/phi', commit: 'a'.repeat(40), files };
    const { options } = await setUp(context, [phi]);
    const asked = ['search', '--index', 'p.lance', '--image', house, '--text', 'is blue'];
    const from = (environment: Readonly<Record<string, string | undefined>> | undefined) =>
      lincirIn([...asked, '--phi', 'acme/phi', '--paths'], { folder, environment });
    const downloaded = await from(options.environment);
    assert.equal(downloaded.code, 0, downloaded.stderr);
    assert.match(downloaded.stderr, /^phi\.safetensors, .* see its licence at http:.*\/acme\/phi$/m);
    const offline = await from({ ...options.environment, HF_HUB_OFFLINE: '1' });
    assert.equal(offline.stdout, downloaded.stdout);
    assert.doesNotMatch(offline.stderr, /licence/);
    const local = await search('--image', house, '--text', 'is blue', '--phi', 'run', '--paths');
    assert.equal(local.stdout, downloaded.stdout);
  });

  test('composes an image and words, and leaves the image out', async () => {
    const { stdout, stderr, code } = await search('--image', house, '--text', 'is blue', '--phi', 'run');
    assert.equal(code, 0, stderr);
    const asked = `images ${house}; method lincir; phi run; model ${model}; index p.lance`;
    assert.equal(stderr, `a photo of $ that is blue\n${asked}\n`);
    const lines = stdout.trimEnd().split('\n');
    assert.equal(lines.length, 5);
    lines.forEach((line, at) => {
      assert.match(line, new RegExp(`^${at + 1}  -?\\d\\.\\d{4}  photos/[\\w.-]+  [\\da-f]{24}$`));
    });
    assert.ok(!stdout.includes(house));
    const included = await search(
      '--image',
      house,
      '--text',
      'is blue',
      '--phi',
      'run',
      '--include-reference',
    );
    assert.match(included.stdout, /house-with-red-roof\.png {2}[\da-f]{24} {2}rating=5/);
  });

  test('warns of words where a shell may have emptied $1, and takes a price for one', async () => {
    const { stderr } = await search('--image', house, '--text', ' with a $100 bill', '--phi', 'run');
    assert.match(stderr, /^warning: " with a \$100 bill" has a gap: .*single quotes$/m);
    assert.match(stderr, /^a photo of \$ with a \$100 bill$/m);
  });

  test('prints JSON, paths and timings', async () => {
    const json = await search('--image', house, '--json', '--top', '2', '--where', "path like '%sailboat%'");
    const { query, results, timings } = JSON.parse(json.stdout);
    assert.deepEqual([query.method, query.prompt, query.images[0].name], ['image', null, house]);
    assert.deepEqual(
      results.map(({ rank }: { rank: number }) => rank),
      [1, 2],
    );
    assert.ok(
      results.every(
        ({ path, metadata }: { path: string; metadata: object }) =>
          path.includes('sailboat') && 'rating' in metadata,
      ),
    );
    assert.ok(timings.searching > 0);
    const byId = await search(
      '--image',
      query.images[0].id,
      '--json',
      '--top',
      '2',
      '--where',
      "path like '%sailboat%'",
    );
    assert.deepEqual(JSON.parse(byId.stdout).results, results);

    const paths = await search('--text', 'a boat', '--paths', '--timings', '--top', '3');
    assert.equal(paths.stdout.trimEnd().split('\n').length, 3);
    for (const path of paths.stdout.trimEnd().split('\n')) assert.ok((await stat(path)).isFile());
    assert.match(paths.stderr, /encoding text +\d+\.\d ms\n/);
    const zero = await search('--text', 'a boat', '--null', '--top', '3', '--page', '2');
    assert.equal(zero.stdout.split('\0').length, 4);
    const none = await search('--text', 'a boat', '--min-score', '0.99');
    assert.equal(none.stdout, 'nothing found\n');
  });

  test('says all that was asked, and shows the same contents once', async () => {
    await cp(pictures, join(folder, 'more'), { recursive: true });
    await cp(join(folder, house), join(folder, 'more/copy.png'));
    assert.equal((await lincir('index', 'more', '--index', 'copies.lance', '--model', model)).code, 0);
    const asked = [
      ...['search', '--index', 'copies.lance', '--image', 'more/black-cat-indoors.webp', '--text', 'is red'],
      ...['--method', 'sum', '--weight', '0.5', '--without', 'a dog', '--where', 'size > 1', '--unique'],
    ];
    const { stdout, stderr } = await lincir(...asked);
    assert.match(
      stderr,
      /; method sum, weight of the words 0\.5; without a dog \(weight 0\.5\); filter size > 1; unique by contents; model /,
    );
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/));
    assert.deepEqual(lines.map(([rank]) => rank).sort(), ['1', '2', '3', '4', '5', '=']);
    const { query, results } = JSON.parse((await lincir(...asked, '--json')).stdout);
    const { images, prompt, ...rest } = query;
    assert.deepEqual([prompt, images.length], ['is red', 1]);
    assert.deepEqual(rest, {
      ...{
        method: 'sum',
        text: 'is red',
        weight: 0.5,
        without: 'a dog',
        withoutWeight: 0.5,
        where: 'size > 1',
      },
      ...{ top: 10, page: 1, minScore: null, unique: true, includeReference: false, exact: false },
      ...{ phi: null, model, index: 'copies.lance' },
    });
    const [copies, ...others] = results
      .map(({ path, duplicates }: { path: string; duplicates: { path: string }[] }) =>
        [path, ...duplicates.map((hit) => hit.path)].map((name) => basename(name)).sort(),
      )
      .sort((a: string[], b: string[]) => b.length - a.length);
    assert.deepEqual(copies, ['copy.png', 'house-with-red-roof.png']);
    assert.ok(others.every(({ length }: string[]) => length === 1));
    const page = await lincir(...asked, '--html', 'asked.html');
    assert.equal(page.code, 0);
    assert.match(await readFile(join(folder, 'asked.html'), 'utf8'), /<dt>Filter<\/dt>.*size &#62; 1/);
  });

  test('writes a page with the images', async () => {
    const { code, stderr } = await search('--image', house, '--html', 'results.html');
    assert.equal(code, 0, stderr);
    assert.match(stderr, /→ results\.html/);
    const page = await readFile(join(folder, 'results.html'), 'utf8');
    assert.equal(page.match(/data:image\/jpeg/g)?.length, 7);
    assert.ok(!page.includes('<script'));
  });

  test('fetches images from the web, but not from private places unless told to', async () => {
    const refused = await search('--image', `${address}/picture.png`);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /^lincir: .*found 127\.0\.0\.1; give --allow-private .*\n$/);
    const { stdout, code } = await search('--image', `${address}/picture.png`, '--allow-private', '--paths');
    assert.equal(code, 0);
    assert.ok(!stdout.includes('house-with-red-roof'), 'the same contents are left out');
    const page = await search('--image', `${address}/page`, '--allow-private');
    assert.match(page.stderr, /^lincir: .*text\/html.*\n$/);
  });

  test('goes on from its own results in a dialogue', async () => {
    const child = startIn(
      ['search', '--index', 'p.lance', '--text', 'a boat', '--phi', 'run', '--top', '3', '--interactive'],
      { folder },
    );
    const output = Promise.all([text(child.stdout!), text(child.stderr!), once(child, 'close')]);
    child.stdin!.end('1 is red\n/next\n9\n$3\n/where rating = 5\n/nonsense\n/quit\n');
    const [stdout, stderr] = await output;
    assert.equal(child.exitCode, 0, stderr);
    const ranks = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.trim().split(/\s/)[0]);
    assert.deepEqual(ranks, ['1', '2', '3', '1', '2', '3', '4', '5', '1']);
    assert.match(stderr, /a photo of \$ that is red/);
    assert.match(stderr, /there is no result 9/);
    assert.match(stderr, /found \$3; give as many images/);
    assert.match(stderr, /\/nonsense is not a command/);
  });

  test('keeps what is no query yet, and ends as its exit code says', async () => {
    const began = (input: string) => {
      const child = startIn(['search', '--index', 'p.lance', '--phi', 'run', '--top', '2', '--interactive'], {
        folder,
      });
      const output = Promise.all([text(child.stdout!), text(child.stderr!), once(child, 'close')]);
      child.stdin!.write(input);
      return { child, output };
    };
    const { child, output } = began(
      `is red\n/image ${house} #1\nthe $1 of $2\n/method sum\n1 with a hat\n/show\n`,
    );
    child.stdin!.end();
    const [stdout, stderr] = await output;
    assert.equal(child.exitCode, 0, stderr);
    assert.match(stderr, /the text "is red": expected the images' names, \$1 to \$2/);
    assert.match(stderr, /^the \$1 of \$2$/m);
    assert.match(stderr, /use \/method lincir, or write/);
    assert.match(stderr, /^words +with a hat$/m);
    assert.equal(stdout.trimEnd().split('\n').length, 6);

    const stopped = began('a boat\n');
    await once(stopped.child.stdout!, 'data');
    stopped.child.kill('SIGINT');
    const [, said] = await stopped.output;
    assert.equal(stopped.child.exitCode, 130, said);
  });

  test('takes an image from standard input', async () => {
    const input = await readFile(join(folder, house));
    const asked = ['search', '--index', 'p.lance', '--image', '-'];
    const { stdout, code } = await lincirIn([...asked, '--paths'], { folder, input });
    assert.equal(code, 0);
    assert.equal(stdout, (await search('--image', house, '--paths')).stdout);
    const empty = await lincirIn(asked, { folder });
    assert.match(empty.stderr, /^lincir: --image -: expected an image on standard input, found nothing/);
    const large = await lincirIn(asked, { folder, input: Buffer.alloc(2 ** 26 + 1) });
    assert.match(
      large.stderr,
      /^lincir: --image -: expected at most 67 MB, found more; name the file instead\n$/,
    );
  });

  test('refuses or tells of what would change nothing', async () => {
    const refused: readonly (readonly string[])[] = [
      ['search', '--text', 'x', '--weight', '0.5'],
      ['search', '--image', house, '--text', 'x', '--phi', 'run', '--weight', '0.5'],
      ['search', '--text', 'x', '--without-weight', '1'],
      ['search', '--text', 'x', '--json', '--paths'],
      ['search', '--text', 'x', '--include-reference'],
      ['search', '--image', house, '--allow-private'],
      ['search', '--interactive', '--page', '2'],
      ['index', '--stats', '--device', 'cpu'],
      ['index', '--remove', 'x', '--exclude', 'y'],
      ['index', 'photos', '--metadata-key', 'y'],
    ];
    const results = await Promise.all(
      refused.map(([command, ...args]) => lincir(command!, '--index', 'p.lance', ...args)),
    );
    results.forEach(({ code, stderr }, at) => {
      assert.deepEqual([code, stderr.trimEnd().split('\n').length], [2, 1], `${refused[at]}: ${stderr}`);
      assert.match(stderr, /without effect|leave it out/);
    });
    const idle = await search('--text', 'x', '--phi', 'run', '--exact');
    assert.equal(idle.code, 0);
    assert.match(idle.stderr, /^warning: --phi is not used by the method text$/m);
    assert.match(idle.stderr, /^warning: --exact changes nothing/m);
  });

  test('says in one line what is wrong', async () => {
    const cases: readonly (readonly [args: string[], code: number, message: RegExp])[] = [
      [
        ['--text', 'on the beach', '--image', house, '--image', house, '--phi', 'run'],
        2,
        /expected the images' names, \$1 to \$2/,
      ],
      [
        ['--text', 'the dog of  on the beach of ', '--image', house, '--image', house, '--phi', 'run'],
        2,
        /in double ones, a shell takes .*: --text 'the dog of \$1 on the beach of \$2'$/m,
      ],
      [
        ['--text', '', '--image', house, '--phi', 'run'],
        2,
        /--text "": expected words, found none; leave it out/,
      ],
      [['--text', '$1 $3', '--image', house, '--image', house, '--phi', 'run'], 2, /found \$3/],
      [['--text', 'is red', '--image', house], 2, /give --phi FILE, or --method sum/],
      [
        ['--text', 'is red', '--image', house, '--phi', 'none.pt'],
        1,
        /none\.pt: expected something that can be read/,
      ],
      [
        ['--text', 'is red', '--image', house, '--phi', 'photos'],
        1,
        /expected phi, or a run's folder with one/,
      ],
      [[], 2, /expected an image, a text, or both, found neither/],
      [['--image', 'none.png'], 1, /"none\.png": expected a file, an address on the web, or the id or path/],
      [['--image', 'photos/broken.jpg'], 1, /photos\/broken\.jpg: expected a whole image/],
      [['--text', 'x', '--where', 'colour = 1'], 2, /colour/],
      [
        ['--text', 'x', '--model', join(import.meta.dirname, 'fixtures/tiny-clip-bf16')],
        2,
        /lincir reindex --index p\.lance/,
      ],
      [['--text', 'x', '--top', '0'], 2, /whole number from 1/],
      [['--text', 'x', '--preview'], 2, /--preview: expected a terminal/],
    ];
    const results = await Promise.all(cases.map(([args]) => search(...args)));
    results.forEach(({ code, stdout, stderr }, at) => {
      const [args, expected, message] = cases[at]!;
      assert.match(stderr, message);
      assert.deepEqual(
        [code, stdout, stderr.trimEnd().split('\n').length],
        [expected, '', 1],
        `${args}: ${stderr}`,
      );
    });
    const others = await Promise.all([
      lincir('search', '--index', 'photos', '--text', 'x'),
      lincir('search', '--index', 'none.lance', '--text', 'x'),
      lincir('search', '--index', 'ftp://x', '--text', 'x'),
      lincir('index', 'photos', '--index', 'photos', '--model', model),
      lincir('index', 'photos', '--index', 'new.lance'),
      lincir('index', '--index', 'p.lance'),
      lincir('index', 'nowhere', '--index', 'p.lance'),
    ]);
    assert.deepEqual(
      others.map(({ code, stderr }) => [code, stderr.replace(/.*?: (expected|give) /, '$1 ').slice(0, 40)]),
      [
        [1, 'expected an index, found none; check the'],
        [1, 'expected an index, found none; check the'],
        [2, 'expected a path, lance:PATH, memory:, s3'],
        [2, 'expected an index, or an empty or new fo'],
        [2, 'expected a model for the new index, foun'],
        [2, 'expected folders, files or shards, --lis'],
        [1, 'expected something that can be read, fou'],
      ],
    );
  });
});
