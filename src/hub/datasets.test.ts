/** Data sets: which files are a split's, and ranges of them whatever the server does. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { etagOf, type FakeModel } from '../../test/fake-hub.ts';
import { refused, setUp as setUpHub } from '../../test/hub-setup.ts';
import { openDataset } from './index.ts';

const id = 'acme/captions';
const content = Buffer.from(Array.from({ length: 50_000 }, (_, index) => (index * index) % 251));
const shard = 'default/train/0000.parquet';

/** A commit with these files: ccc… for the conversion, bbb… for others. */
function commitOf(revision: string, names: readonly string[], more: Partial<FakeModel> = {}): FakeModel {
  const commit = (revision === 'refs/convert/parquet' ? 'c' : 'b').repeat(40);
  const files = Object.fromEntries(names.map((name) => [name, content]));
  return { id, commit, files: { 'README.md': 'captions', ...files }, large: names, ...more };
}

/** A hub with a data set that has these files at these revisions. */
async function setUp(
  context: TestContext,
  revisions: Readonly<Record<string, readonly string[]>>,
  more: Partial<FakeModel> = {},
) {
  const { hub, options } = await setUpHub(context, []);
  for (const [revision, names] of Object.entries(revisions)) {
    hub.datasets.set(`${id}@${revision}`, commitOf(revision, names, more));
  }
  const { environment = {}, patience = {} } = options;
  return { hub, environment, options: { environment, patience } };
}

/** The conversion with one file, opened. */
async function openShard(context: TestContext) {
  const { hub, options } = await setUp(context, { 'refs/convert/parquet': [shard] });
  const { files } = await openDataset(id, options);
  hub.requests.length = 0;
  const { access } = files[0]!;
  return { hub, options, access, ranges: () => hub.requestsFor(shard).map(({ range }) => range) };
}

test("the hub's own conversion is used, and read in ranges", async (context) => {
  const names = ['default/test/0000.parquet', 'default/train/0001.parquet', shard];
  const { hub, options } = await setUp(context, { main: ['train.parquet'], 'refs/convert/parquet': names });
  const dataset = await openDataset(id, options);
  assert.deepEqual([dataset.id, dataset.commit], [id, 'c'.repeat(40)]);
  assert.deepEqual(
    dataset.files.map(({ name, size, sha256 }) => ({ name, size, sha256 })),
    [shard, names[1]].map((name) => ({ name, size: 50_000, sha256: etagOf(content, true) })),
  );
  const { access } = dataset.files[0]!;
  assert.deepEqual([access.name, access.size], [`hf://datasets/${id}/${shard}`, 50_000]);
  assert.deepEqual(Buffer.from(await access.read(49_000, 1000)), content.subarray(49_000));
  assert.deepEqual(Buffer.from(await access.read(0, 1)), content.subarray(0, 1));
  assert.deepEqual(Buffer.from(await access.read(0, 50_000)), content);
  assert.equal((await access.read(50_000, 0)).length, 0);
  assert.deepEqual(
    hub.requests.filter(({ host }) => host === 'hub').map(({ path, range }) => [path, range]),
    [
      [`/api/datasets/${id}/revision/refs%2Fconvert%2Fparquet`, undefined],
      ...['49000-49999', '0-0', '0-49999'].map((range) => [
        `/datasets/${id}/resolve/${'c'.repeat(40)}/${shard}`,
        `bytes=${range}`,
      ]),
    ],
  );
});

test('of a conversion: the default configuration or the only one, and parts of a split as what they are', async (context) => {
  const { hub, options } = await setUp(context, {});
  const chosen = async (names: readonly string[], split?: string) => {
    hub.datasets.set(`${id}@refs/convert/parquet`, commitOf('refs/convert/parquet', names));
    const { files } = await openDataset(id, { ...options, ...(split && { split }) });
    return files.map(({ name }) => name);
  };
  assert.deepEqual(await chosen(['en/train/0000.parquet', shard]), [shard]);
  assert.deepEqual(await chosen(['en/train/0000.parquet']), ['en/train/0000.parquet']);
  assert.deepEqual(await chosen(['en/partial-train/0000.parquet']), ['en/partial-train/0000.parquet']);
  assert.deepEqual(
    await chosen(['a/train-part1/0000.parquet', 'a/train-part0/9999.parquet', 'a/x/0.parquet']),
    ['a/train-part0/9999.parquet', 'a/train-part1/0000.parquet'],
  );
  assert.deepEqual(await chosen([shard, 'default/v1.0/0000.parquet'], 'v1.0'), ['default/v1.0/0000.parquet']);
  await refused(
    chosen(['en/train/0000.parquet', 'fr/train/0000.parquet']),
    'bad-argument',
    /acme\/captions: expected one configuration/,
    /"en", "fr"/,
  );
  await refused(chosen([shard, 'default/dev/0000.parquet'], 'test'), 'not-found', /"test"/, /"train", "dev"/);
});

test("without a conversion: the data set's own files whose path names the split", async (context) => {
  const { hub, options } = await setUp(context, {});
  const chosen = async (names: readonly string[], split?: string) => {
    hub.datasets.set(`${id}@main`, commitOf('main', names));
    const { files } = await openDataset(id, { ...options, ...(split && { split }) });
    return files.map(({ name }) => name);
  };
  const sharded = ['data/train-00000-of-00002.parquet', 'data/train-00001-of-00002.parquet'];
  assert.deepEqual(await chosen([...sharded, 'data/test-00000-of-00001.parquet', 'train.csv']), sharded);
  assert.deepEqual(await chosen(['train/0.parquet', 'test/0.parquet']), ['train/0.parquet']);
  assert.deepEqual(await chosen(['my_train_2.parquet', 'my_dev_2.parquet']), ['my_train_2.parquet']);
  assert.deepEqual(await chosen(['train.parquet', 'train_extra.parquet']), ['train.parquet']);
  assert.deepEqual(await chosen(['b c#1.parquet', 'a/trainer.parquet']), [
    'a/trainer.parquet',
    'b c#1.parquet',
  ]);
  assert.deepEqual(await chosen(['x-dev.parquet', 'x-train.parquet'], 'dev'), ['x-dev.parquet']);
  await refused(chosen(['x-dev.parquet', 'y.parquet']), 'not-found', /the split "train"/, /"x-dev\.parquet"/);
  await refused(
    chosen(['captions.csv']),
    'not-found',
    /expected Parquet files/,
    /"README\.md", "captions\.csv"/,
    /local files/,
  );
  // A conversion that holds nothing, yet.
  hub.datasets.set(`${id}@refs/convert/parquet`, commitOf('refs/convert/parquet', []));
  assert.deepEqual(await chosen(['of one # file.parquet']), ['of one # file.parquet']);
  const dataset = await openDataset(id, options);
  assert.equal((await dataset.files[0]?.access.read(0, 50_000))?.length, 50_000);
});

test('a revision means its own files', async (context) => {
  const revisions = { 'refs/convert/parquet': [shard], 'v1/rc': ['train.parquet'] };
  const { hub, options } = await setUp(context, revisions);
  const { files, commit } = await openDataset(id, { ...options, revision: 'v1/rc' });
  assert.deepEqual([files.map(({ name }) => name), commit], [['train.parquet'], 'b'.repeat(40)]);
  assert.deepEqual(
    hub.requests.map(({ path }) => path),
    [`/api/datasets/${id}/revision/v1%2Frc`],
  );
  await refused(openDataset(id, { ...options, revision: 'v2' }), 'not-found', /acme\/captions@v2/);
});

test('names that cannot be are refused, and what is not there is named', async (context) => {
  const { hub, options } = await setUp(context, {});
  for (const name of ['captions', '../captions', 'a/b/c', 'a/b?c', '']) {
    await refused(openDataset(name, options), 'bad-argument', /OWNER\/NAME/);
  }
  for (const split of ['', 'a/b', '.*', 'a..b']) {
    await refused(openDataset(id, { ...options, split }), 'bad-argument', /split/);
  }
  await refused(openDataset(id, { ...options, revision: '../x' }), 'bad-argument', /revision/);
  assert.equal(hub.requests.length, 0);
  await refused(openDataset(id, options), 'not-found', /hf:\/\/datasets\/acme\/captions/, /set HF_TOKEN/);
  hub.datasets.set(`${id}@refs/convert/parquet`, commitOf('refs/convert/parquet', [shard]));
  hub.faults.set('', { status: 500 }); // no answer to whether there is a conversion
  await refused(openDataset(id, options), 'network', /HTTP status 500 \(3 times\)/);
});

test('offline, nothing is asked', async (context) => {
  const { hub, environment, options } = await setUp(context, { 'refs/convert/parquet': [shard] });
  const offline = { ...options, environment: { ...environment, HF_HUB_OFFLINE: '1' } };
  await refused(openDataset(id, offline), 'not-found', /acme\/captions/, /HF_HUB_OFFLINE/, /on this machine/);
  assert.equal(hub.requests.length, 0);
});

test('a private data set needs the token, which goes to the hub alone', async (context) => {
  const revisions = { 'refs/convert/parquet': [shard] };
  const { hub, environment, options } = await setUp(context, revisions, { token: 'hf_secret' });
  await refused(openDataset(id, options), 'not-found', /if it is private, set HF_TOKEN/);
  hub.requests.length = 0;
  const withToken = { ...options, environment: { ...environment, HF_TOKEN: 'hf_secret' } };
  const { files } = await openDataset(id, withToken);
  await files[0]!.access.read(10, 10);
  assert.equal(hub.requests.length, 3);
  for (const { host, authorization, range } of hub.requests) {
    assert.equal(authorization, host === 'hub' ? 'Bearer hf_secret' : undefined);
    assert.ok(host === 'hub' || range === 'bytes=10-19');
  }
});

test('a gated data set can be listed, and says what to do when it is read', async (context) => {
  const revisions = { 'refs/convert/parquet': [shard] };
  const { options } = await setUp(context, revisions, { token: 'hf_member', gated: true });
  const { files } = await openDataset(id, options);
  await refused(files[0]!.access.read(0, 10), 'network', /0000\.parquet/, /accept its terms/, /set HF_TOKEN/);
});

test('a read whose connection is cut goes on inside its range', async (context) => {
  const { hub, access, ranges } = await openShard(context);
  hub.faults.set(shard, { cutAt: 20_000, times: 1 });
  assert.deepEqual(Buffer.from(await access.read(10_000, 30_000)), content.subarray(10_000, 40_000));
  assert.deepEqual(
    ranges(),
    ['10000', '10000', '20000', '20000'].map((first) => `bytes=${first}-39999`),
  );
  hub.faults.set(shard, { cutAt: 20_000 });
  await refused(access.read(10_000, 30_000), 'network', /0000\.parquet/, /3 times/, /run this again/);
});

test('a silent connection is given up, a slow one is not', async (context) => {
  const { hub, options } = await openShard(context);
  const patience = { attempts: 2, backoff: 1, silence: 200 };
  const { files } = await openDataset(id, { ...options, patience });
  const { access } = files[0]!;
  hub.faults.set(shard, { stallAt: 15_000 });
  await refused(access.read(10_000, 30_000), 'network', /no data for 0\.2 s \(2 times\)/);
  hub.faults.set(shard, { trickle: 8 });
  assert.deepEqual(Buffer.from(await access.read(10_000, 30_000)), content.subarray(10_000, 40_000));
});

test('an answer with other bytes than those asked for is refused', async (context) => {
  const { hub, access } = await openShard(context);
  const read = () => access.read(100, 100);
  hub.faults.set(shard, { ignoresRange: true });
  await refused(read(), 'network', /bytes 100 to 199 of 50000/, /HTTP status 200/, /proxy/);
  hub.faults.set(shard, { content: Buffer.concat([content, content]) });
  await refused(read(), 'network', /HTTP status 206 with "bytes 100-199\/100000"/);
  hub.faults.set(shard, { content: content.subarray(0, 150) });
  await refused(read(), 'network', /"bytes 100-149\/150"/);
  hub.faults.set(shard, { content: content.subarray(0, 50) });
  await refused(read(), 'network', /HTTP status 416/);
  hub.faults.set(shard, { contentRange: 'bytes 0-99/50000' });
  await refused(read(), 'network', /"bytes 0-99\/50000"/);
});

test('the whole file in place of a range that is all of it is taken', async (context) => {
  const { hub, access } = await openShard(context);
  hub.faults.set(shard, { ignoresRange: true });
  assert.deepEqual(Buffer.from(await access.read(0, 50_000)), content);
  hub.faults.set(shard, { ignoresRange: true, content: content.subarray(1) });
  await refused(access.read(0, 50_000), 'network', /HTTP status 200 with "49999" bytes/);
  hub.faults.set(shard, { ignoresRange: true, chunked: true, content: Buffer.concat([content, content]) });
  await refused(access.read(0, 50_000), 'network', /more bytes/);
  hub.faults.set(shard, { ignoresRange: true, cutAt: 100 });
  await refused(access.read(0, 50_000), 'network', /\(3 times\)/); // Always the same 100 bytes are no progress.
});

test('a read outside of the file, or too large, asks nothing', async (context) => {
  const { hub, access } = await openShard(context);
  for (const [offset, length] of [
    [49_999, 2],
    [-1, 2],
    [0, -1],
    [Number.NaN, 1],
    [0, 2 ** 29],
  ]) {
    await refused(access.read(offset!, length!), 'bad-file', /0000\.parquet/);
  }
  assert.equal(hub.requests.length, 0);
});

test('the signal ends a read, and the wait before its next attempt', async (context) => {
  const { hub, options } = await openShard(context);
  for (const fault of [{ stallAt: 0 }, { status: 500, headers: { 'retry-after': '60' } }]) {
    const stop = new AbortController();
    const reason = new Error('enough');
    const { files } = await openDataset(id, { ...options, signal: stop.signal });
    hub.faults.set(shard, fault);
    const reading = files[0]!.access.read(0, 10);
    setTimeout(() => stop.abort(reason), 50);
    await assert.rejects(reading, reason);
    await assert.rejects(openDataset(id, { ...options, signal: stop.signal }), reason);
  }
});
