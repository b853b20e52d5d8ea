/** Many workers on one index, as a user meets them: real processes, some of them killed. */

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { endedAmong, shardStatus } from '../src/indexing/index.ts';
import { thisWorker } from '../src/indexing/sharding/worker.ts';
import type { SourceRecord } from '../src/store/index.ts';
import { lincir as lincirIn } from './command-line.ts';
import { writePicture } from './pictures.ts';
import { credentials, S3Server } from './s3-server.ts';
import { killWorkers } from './workers/killed.ts';
import { contentsOf, differences, makeSources, model } from './workers/world.ts';

let folder: string;
let sources: string[];
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-workers-'));
  sources = await makeSources(folder, { shards: 5, imagesPerShard: 30, imagesInFolder: 40 });
});
after(() => rm(folder, { recursive: true }));

const lincir = (...args: string[]) => lincirIn(args, { folder });
const shared = (uri: string, shard: string) => [
  ...['index', ...sources, '--index', uri, '--model', model, '--shard', shard, '--threads', '1'],
];
const contents = (uri: string) => contentsOf(join(folder, uri));
const counts = (stdout: string) => {
  const { sources: done, added, changed, unchanged, broken, failed } = JSON.parse(stdout);
  return { ...done, added, changed, unchanged, broken, named: failed.length };
};

describe('workers', { concurrency: false }, () => {
  test('that are killed and started again leave what one undisturbed run leaves', async () => {
    const alone = await lincir('index', ...sources, '--index', 'alone.lance', '--model', model);
    assert.equal(alone.code, 0, alone.stderr);
    const ends = await killWorkers({
      ...{ folder, workers: 3, kills: 8, longest: 3000, seed: 5 },
      argumentsOf: (worker) => shared('shared.lance', `${worker}/3`),
    });
    assert.deepEqual([ends.failed, ends.done], [[], 3]);
    assert.ok(ends.killed > 0);
    const one = await contents('alone.lance');
    const many = await contents('shared.lance');
    assert.deepEqual(differences(one, many), []);
    assert.deepEqual([many.images.size, many.broken.size], [190, 1]);
    assert.deepEqual(new Set(many.sources.map(({ state }) => state)), new Set(['done']));
    assert.equal(many.sources.length, 5 + 3);
    assert.equal(
      many.sources.reduce((sum, { images }) => sum + images, 0),
      190,
    );
  });

  test('skip what is done, and go through what has changed', async () => {
    for (const shard of ['1/3', '2/3', '3/3']) {
      const { stdout, code } = await lincir(...shared('shared.lance', shard), '--json');
      const { skipped, ...others } = counts(stdout);
      assert.equal(code, 0);
      assert.ok(skipped > 0);
      assert.deepEqual(Object.values(others), Object.values(others).fill(0));
    }
    const before = await contents('shared.lance');
    const file = join(folder, '001.tar');
    await utimes(file, new Date(), new Date(1_700_000_000_000));
    await writePicture(join(folder, 'photos/0.png'), 1000);
    const again = await lincir(...shared('shared.lance', '1/1'), '--json');
    // The folder's part has another number of workers, so it is gone through, too.
    assert.deepEqual(counts(again.stdout), {
      ...{ done: 2, skipped: 4, failed: 0, named: 0 },
      ...{ added: 0, changed: 1, unchanged: 69, broken: 0 },
    });
    const now = await contents('shared.lance');
    const changed = [...now.images.values()].filter(
      ({ path, hash }) => before.images.get(path)?.hash !== hash,
    );
    assert.deepEqual(
      changed.map(({ path }) => path.split('/').at(-1)),
      ['0.png'],
    );
    assert.equal(now.images.size, before.images.size);
    const member = [...now.images.values()].find(({ path }) => path.includes('001.tar'))!;
    assert.equal(member.modified, 1_700_000_000_000);
  });

  test('record a source that fails, go on, and try it again', async () => {
    const whole = await readFile(join(folder, '002.tar'));
    const broken = await readFile(join(folder, '000.tar'));
    await truncate(join(folder, '002.tar'), whole.length / 2);
    await writeFile(join(folder, '003.tar'), 'no archive');
    const first = await lincir(...shared('failing.lance', '1/1'), '--json');
    assert.equal(first.code, 1);
    assert.match(first.stderr, /^failed: .*002\.tar: .*the archive is cut short/m);
    assert.match(first.stderr, /lincir: shard 1\/1: expected all of its 6 sources, found 2 that failed/);
    const { added, named, failed } = counts(first.stdout);
    assert.ok(added > 130 && added < 160, `${added}`);
    assert.deepEqual([named, failed], [2, 2]);
    const status = await lincir('index', '--status', '--index', 'failing.lance');
    assert.match(status.stdout, /^parts +4 done, 2 failed$/m);
    assert.match(status.stdout, /^\S*003\.tar: failed: expected a tar archive/m);
    assert.equal(status.code, 1);
    assert.match(status.stderr, /^lincir: failing\.lance: expected no part that failed, found 2 of them/);
    assert.match(status.stdout, /^images +1\d\d in the index, 1\d\d in these parts$/m);
    assert.match(status.stdout, /^speed +.* images\/s$/m);
    const json = JSON.parse((await lincir('index', '--status', '--index', 'failing.lance', '--json')).stdout);
    assert.deepEqual([json.sources.done, json.failures.length, json.broken], [4, 2, 1]);

    await writeFile(join(folder, '002.tar'), whole);
    await writeFile(join(folder, '003.tar'), whole);
    // A member that was broken is mended.
    await writePicture(join(folder, 'member.png'), 77);
    const mended = await readFile(join(folder, 'member.png'));
    const { entry } = await import('./archives.ts');
    const cut = broken.subarray(0, broken.indexOf('broken.png'));
    await writeFile(join(folder, '000.tar'), Buffer.concat([cut, entry('broken.png', mended)]));
    const second = await lincir(...shared('failing.lance', '1/1'), '--json');
    assert.equal(second.code, 0, second.stderr);
    const { done, skipped } = counts(second.stdout);
    assert.deepEqual([done, skipped], [3, 3]);
    const { images, broken: notes, sources: records } = await contents('failing.lance');
    assert.deepEqual([images.size, notes.size], [191, 0]);
    assert.ok(records.every(({ state }) => state === 'done'));
    // Gone for good, and another division of the folder.
    await rm(join(folder, '003.tar'));
    const codes = [];
    for (const shard of ['1/2', '2/2']) codes.push((await lincir(...shared('failing.lance', shard))).code);
    assert.deepEqual(codes.sort(), [0, 1]);
    const left = sources.filter((name) => name !== '003.tar');
    const once = await lincir('index', ...left, '--index', 'failing.lance');
    assert.equal(once.code, 0, once.stderr);
    const names = (await contents('failing.lance')).sources.map(({ source }) =>
      source.slice(folder.length + 1),
    );
    assert.deepEqual(names.sort(), [
      ...['000.tar', '001.tar', '002.tar', '004.tar', 'photos (part 1/2)', 'photos (part 2/2)'],
    ]);
    await writeFile(join(folder, '003.tar'), whole);
  });

  test('record what is not there, and go on', async (context) => {
    const server = new S3Server();
    context.after(() => server.close());
    const environment = { ...credentials, AWS_ENDPOINT_URL: await server.start() };
    const named = ['photos', 'gone.tar', 'none', 's3://empty/x.tar', 's3://empty/photos'];
    const run = async (shard: string) => {
      const target = ['--index', 'away.lance', '--model', model, '--shard', shard, '--json'];
      const { code, stdout, stderr } = await lincirIn(['index', ...named, ...target], {
        folder,
        environment,
      });
      assert.equal(code, 1, stderr);
      const failed: { source: string; reason: string }[] = JSON.parse(stdout).failed;
      return failed.map(({ source, reason }) => `${source.replace(`${folder}/`, '')}: ${reason}`);
    };
    const failed = [...(await run('1/2')), ...(await run('2/2'))].sort();
    assert.deepEqual(
      failed.map((line) => line.split(': ')[0]),
      [
        ...['gone.tar', 'none (part 1/2)', 'none (part 2/2)'],
        ...['s3://empty/photos/ (part 1/2)', 's3://empty/photos/ (part 2/2)', 's3://empty/x.tar'],
      ],
    );
    for (const line of failed) assert.match(line, /no such file|found none/);
    assert.equal((await contents('away.lance')).images.size, 40);
    const status = async () =>
      (await contents('away.lance')).sources
        .map(({ source, state }) => `${source.replace(`${folder}/`, '')}: ${state}`)
        .sort();
    const alone = async (...args: string[]) => {
      const all = ['index', ...args, '--index', 'away.lance', '--model', model];
      const { code, stderr } = await lincirIn(all, { folder, environment });
      assert.equal(code, 0, stderr);
    };
    // What is named and gone, and what is taken out by name.
    await alone('gone.tar', '--remove-missing');
    assert.deepEqual(await status(), ['photos (part 1/2): done', 'photos (part 2/2): done']);
    await alone('--remove', 'photos');
    assert.deepEqual(await status(), []);
    assert.equal((await contents('away.lance')).images.size, 40);
  });

  test('go through object storage, and again when an object has another ETag', async (context) => {
    const server = new S3Server();
    context.after(() => server.close());
    const environment = { ...credentials, AWS_ENDPOINT_URL: await server.start() };
    for (const name of ['001.tar', '004.tar']) {
      server.put(`photos/sets/${name}`, await readFile(join(folder, name)));
    }
    for (const name of ['1.png', '2.png', '3.png']) {
      server.put(`photos/loose/${name}`, await readFile(join(folder, 'photos', name)));
    }
    const run = async (...args: string[]) => {
      const options = { folder, environment };
      const { stdout, stderr, code } = await lincirIn(
        ['index', 's3://photos/', '--index', 's3.lance', '--model', model, ...args, '--json'],
        options,
      );
      assert.equal(code, 0, stderr);
      return JSON.parse(stdout);
    };
    const first = await run('--shard', '1/1');
    assert.deepEqual([first.sources, first.added], [{ done: 3, skipped: 0, failed: 0 }, 63]);
    const requests = server.requests.length;
    assert.deepEqual((await run('--shard', '1/1')).sources, { done: 0, skipped: 3, failed: 0 });
    const since = server.requests.slice(requests);
    assert.ok(
      since.every(({ path }) => path === 'photos/'),
      'only the list is asked for',
    );
    const local = await contents('alone.lance');
    const hashes = (images: Iterable<{ path: string; hash: string }>) =>
      new Map([...images].map(({ path, hash }) => [path.split('/').slice(-2).join('/'), hash]));
    const expected = hashes(local.images.values());
    for (const [name, hash] of hashes((await contents('s3.lance')).images.values())) {
      if (name.includes('.tar!')) assert.equal(hash, expected.get(name), name);
    }
    server.put('photos/sets/001.tar', await readFile(join(folder, '002.tar')), new Date());
    const third = await run('--shard', '1/1');
    assert.deepEqual([third.sources, third.changed], [{ done: 1, skipped: 2, failed: 0 }, 30]);
    // Without --shard, the same: what is gone is taken out.
    server.objects.delete('photos/loose/3.png');
    const { added, unchanged, removed } = await run();
    assert.deepEqual([added, unchanged, removed], [0, 62, 1]);
  });

  test('embed images into a file each, which an index takes together', async () => {
    const embed = (shard: string) =>
      lincir('embed', '--model', model, '--images', 'photos', '--out', 'e.npy', '--shard', shard, '--json');
    const parts = await Promise.all(['1/3', '2/3', '3/3'].map(embed));
    const files = parts.map(({ stdout, stderr, code }) => {
      assert.equal(code, 0, stderr);
      return JSON.parse(stdout).files.find((file: string) => file.endsWith('.npy')) as string;
    });
    assert.deepEqual(
      files,
      [1, 2, 3].map((number) => `e-0000${number}-of-00003.npy`),
    );
    const again = await embed('2/3');
    assert.match(again.stderr, /^e-00002-of-00003\.npy is there, so nothing is to be done/);
    const added = await lincir('index', '--embeddings', ...files, '--index', 'e.lance', '--model', model);
    assert.equal(added.code, 0, added.stderr);
    const names = [...(await contents('e.lance')).images.keys()].sort();
    assert.deepEqual(names, Array.from({ length: 40 }, (_, at) => `photos/${at}.png`).sort());
    const texts = await lincir('embed', '--model', model, '--texts', '-', '--out', 't.npy', '--shard', '1/3');
    assert.match(texts.stderr, /--shard: expected --images as well/);
  });

  test('embed the images of a benchmark into a cache that all share', async () => {
    const queries = [{ reference: 'photos/1.png', text: 'is red', targets: ['photos/2.png'] }];
    await writeFile(join(folder, 'queries.jsonl'), queries.map((query) => JSON.stringify(query)).join('\n'));
    const gallery = Array.from({ length: 40 }, (_, at) => `photos/${at}.png`);
    await writeFile(join(folder, 'gallery.txt'), gallery.join('\n'));
    const evaluate = [
      'eval',
      'custom',
      '--data',
      '.',
      '--model',
      model,
      '--methods',
      'image',
      '--cache',
      'c',
    ];
    const encoded: number[] = [];
    for (const shard of ['1/2', '2/2', '2/2']) {
      const { stdout, stderr, code } = await lincir(...evaluate, '--shard', shard, '--json');
      assert.equal(code, 0, stderr);
      encoded.push(JSON.parse(stdout).encoded);
    }
    assert.ok(encoded[0]! > 0 && encoded[1]! > 0);
    assert.equal(encoded[2], 0);
    const kept = async () => (await readdir(join(folder, 'c'), { recursive: true })).sort();
    const before = await kept();
    const whole = await lincir(...evaluate, '--out', 'results');
    assert.equal(whole.code, 0, whole.stderr);
    assert.deepEqual(await kept(), before);
  });

  test('refuse what cannot be shared', async () => {
    const refused = async (...args: string[]) => {
      const { code, stderr } = await lincir('index', '--index', 'shared.lance', ...args);
      assert.equal(code, 2, stderr);
      return stderr;
    };
    assert.match(
      await refused('photos', '--index', 'b.lance'),
      /^lincir: --index is given twice, and takes one/,
    );
    assert.match(await refused('photos', '--shard', '0/3'), /Shards count from 1: give 1\/3 to 3\/3/);
    assert.match(await refused('photos', '--shard', 'auto/3'), /Neither JOB_COMPLETION_INDEX/);
    assert.match(await refused('photos/0.png', '--shard', '1/3'), /expected a folder or a WebDataset shard/);
    assert.match(await refused('--shard', '1/3'), /expected folders and shards \(\.tar\)/);
    assert.match(await refused('photos', '--shard', '1/3', '--remove-missing'), /found --remove-missing/);
    assert.match(await refused('photos', '--status'), /--status: expected only --index/);
    assert.match(
      await refused('s3://photos/', '--watch'),
      /--watch: expected folders and files of this machine/,
    );
  });
});

test('a worker of this machine that has ended is not running', async () => {
  const worker = await thisWorker();
  const own = {
    source: 'a',
    version: '1',
    state: 'running',
    images: 0,
    broken: 0,
    began: 1,
    updated: 2,
  } as const;
  const words = worker.split(' ');
  const other = words.with(1, '999999999').join(' ');
  const elsewhere = words.with(1, '999999999').with(2, 'another').join(' ');
  const records = [worker, other, elsewhere, 'host 999999999'].map((name) => ({ ...own, worker: name }));
  assert.deepEqual([...(await endedAmong(records))], [records[1]]);
});

test('the status tells silent workers, the speed of the last minutes and the time left', () => {
  const minute = 60_000;
  const now = 100 * minute;
  const record = (source: string, state: SourceRecord['state'], changes: Partial<SourceRecord> = {}) => {
    const times = { began: now - 10 * minute, updated: now };
    return { source, version: '1', state, images: 0, broken: 0, ...times, worker: 'w', ...changes };
  };
  assert.deepEqual(shardStatus([], now), {
    sources: { done: 0, running: 0, silent: 0, waiting: 0, failed: 0 },
    ...{ images: 0, broken: 0, failures: [], silent: [] },
  });
  const silent = record('c', 'running', { images: 0, updated: now - 6 * minute });
  const status = shardStatus(
    [
      record('a', 'done', { images: 6000, broken: 2 }),
      record('b', 'running', { images: 2000, began: now - 5 * minute }),
      silent,
      record('d', 'waiting'),
      // Of an earlier division of the folder, which no longer counts.
      record('/photos (part 1/2)', 'running', { updated: now - 50 * minute, images: 9 }),
      record('/photos (part 1/3)', 'failed', { reason: 'gone', updated: now - 1 }),
    ],
    now,
  );
  assert.deepEqual(status.sources, { done: 1, running: 1, silent: 1, waiting: 1, failed: 1 });
  assert.deepEqual([status.images, status.broken, status.silent], [8000, 2, [silent]]);
  assert.equal(status.imagesPerSecond, 8000 / 600);
  // 4,000 of b, and 6,000 each of c and d.
  assert.equal(status.secondsLeft, 16_000 / (8000 / 600));
  assert.equal(status.failures[0]!.reason, 'gone');
  const running = record('e', 'running');
  assert.deepEqual(shardStatus([running], now, new Set([running])).silent, [running]);
});
