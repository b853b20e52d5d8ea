/** The store of captions: what goes in comes out, whatever ends its building, and broken files are told of. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import {
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { refused } from '../../test/hub-setup.ts';
import { CaptionCopy, type CaptionCopyProgress } from './copy.ts';
import type { CaptionSource } from './sources.ts';

async function newFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-store-'));
  context.after(() => rm(folder, { recursive: true }));
  return join(folder, 'captions');
}

/** Captions as a source, which counts how often it is read. */
function sourceOf(name: string, captions: readonly string[], more: Partial<CaptionSource> = {}) {
  return {
    name,
    origin: `/data/${name}`,
    weight: 1,
    bytes: captions.join('\n').length,
    version: '',
    reads: 0,
    async *captions() {
      this.reads += 1;
      for (let at = 0; at < captions.length; at += 1000) yield captions.slice(at, at + 1000);
    },
    ...more,
  };
}

const places = (source: number, indices: readonly number[]) => indices.map((index) => ({ source, index }));
const numbered = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${name} ${index}`);

test('captions come back as they went in, in any order', async (context) => {
  const folder = await newFolder(context);
  const odd = [
    '\ufeffa cat',
    '',
    'two\nlines',
    'nul\0',
    '猫と犬 🐈',
    'é',
    ' [$] ',
    'x'.repeat(400_000),
    '🐈'.repeat(9),
  ];
  const sources = [sourceOf('odd.txt', odd), sourceOf('many.txt', numbered('caption', 150_000))];
  const built = await CaptionCopy.build(folder, sources);
  const opened = await CaptionCopy.open(folder);
  assert.deepEqual(opened.sources, built.sources);
  for (const store of [built, opened]) {
    assert.deepEqual(await store.read(places(0, [...odd.keys()])), odd);
    const mixed = [...places(1, [149_999, 0, 65_536, 65_535, 0]), ...places(0, [4, 7])];
    assert.deepEqual(await store.read(mixed), [
      ...[149_999, 0, 65_536, 65_535, 0].map((index) => `caption ${index}`),
      odd[4],
      odd[7],
    ]);
    assert.deepEqual(await store.read([]), []);
    await store.close();
  }
});

test('the copy says what its sources were, with a hash of what is read back', async (context) => {
  const folder = await newFolder(context);
  const captions = ['a cat', 'half a pair: \ud83d', 'a dog'];
  const source = sourceOf('three.csv', captions, {
    weight: 0.5,
    async *captions({ onLeftOut }) {
      onLeftOut('three.csv: line 4', 'it is null');
      yield captions;
    },
  });
  const told: string[] = [];
  const onLeftOut = (where: string, reason: string) => told.push(`${where}: ${reason}`);
  const store = await CaptionCopy.build(folder, [source], { onLeftOut });
  const stored = await store.read(places(0, [0, 1, 2]));
  await store.close();
  assert.deepEqual(stored, ['a cat', 'half a pair: \ufffd', 'a dog']);
  assert.deepEqual(told, ['three.csv: line 4: it is null']);
  const ends = [0, 1, 2].map((index) => Buffer.byteLength(stored.slice(0, index + 1).join('')));
  const sha256 = createHash('sha256').update(stored.join('')).update(BigUint64Array.from(ends, BigInt));
  const { name, origin, bytes, version } = source;
  assert.deepEqual(store.sources, [
    { name, origin, bytes, version, weight: 0.5, captions: 3, leftOut: 1, sha256: sha256.digest('hex') },
  ]);
});

test('a copy goes on with what an interrupted call has finished', async (context) => {
  const folder = await newFolder(context);
  const [first, last] = [sourceOf('a', numbered('a', 5000)), sourceOf('c', numbered('c', 10))];
  const stop = new AbortController();
  const torn = sourceOf('b', [], {
    async *captions() {
      yield numbered('b', 3000);
      stop.abort(new Error('enough'));
      yield ['never stored'];
    },
  });
  await assert.rejects(CaptionCopy.build(folder, [first, torn, last], { signal: stop.signal }), /enough/);
  await refused(CaptionCopy.open(folder), 'not-found', /captions: expected a copy .* built to its end/);

  const whole = sourceOf('b', numbered('b', 4000), { bytes: torn.bytes });
  const progress: CaptionCopyProgress[] = [];
  const sources = [first, whole, last];
  const store = await CaptionCopy.build(folder, sources, { onProgress: (step) => progress.push(step) });
  assert.deepEqual([first.reads, whole.reads, last.reads], [1, 1, 1]);
  assert.deepEqual(await store.read(places(1, [0, 3999])), ['b 0', 'b 3999']);
  assert.deepEqual(progress[0], { source: 'a', sources: 3, done: 1, captions: 5000 });
  assert.deepEqual(progress.at(-1), { source: 'c', sources: 3, done: 3, captions: 9010 });
  await store.close();
  const again = await CaptionCopy.build(folder, sources);
  assert.deepEqual([first.reads, whole.reads, last.reads], [1, 1, 1]);
  assert.deepEqual(again.sources, store.sources);
});

test('what is not of these sources is made anew', async (context) => {
  const folder = await newFolder(context);
  const kept = sourceOf('a', numbered('a', 10));
  await CaptionCopy.build(folder, [kept, sourceOf('b', numbered('b', 10)), sourceOf('c', ['c'])]);
  const other = sourceOf('b', numbered('other', 20));
  const heavier = { ...kept, reads: 0, weight: 3 };
  const store = await CaptionCopy.build(folder, [heavier, other]);
  assert.deepEqual([heavier.reads, other.reads], [0, 1]);
  assert.deepEqual(
    store.sources.map(({ weight, captions }) => [weight, captions]),
    [
      [3, 10],
      [1, 20],
    ],
  );
  await truncate(join(folder, '0000.text'), 5);
  const repaired = await CaptionCopy.build(folder, [heavier, other]);
  assert.deepEqual([heavier.reads, other.reads], [1, 1]);
  assert.deepEqual(await repaired.read(places(0, [9])), ['a 9']);
  await repaired.close();
});

test('a source without a usable caption is refused by its name', async (context) => {
  const folder = await newFolder(context);
  const empty = sourceOf('empty.txt', [], {
    async *captions({ onLeftOut }) {
      onLeftOut('empty.txt: line 1', 'it is empty');
      yield [];
    },
  });
  const work = CaptionCopy.build(folder, [sourceOf('a', ['a']), empty]);
  await refused(work, 'bad-file', /^empty\.txt: expected at least one usable caption/, /1 rows left out/);
  await refused(CaptionCopy.open(folder), 'not-found');
});

test('a caption that is not there is refused', async (context) => {
  const folder = await newFolder(context);
  const store = await CaptionCopy.build(folder, [sourceOf('a', ['a', 'b'])]);
  for (const index of [-1, 2, 0.5, Number.NaN]) {
    await refused(store.read(places(0, [0, index])), 'bad-argument', /below 2/);
  }
  await refused(store.read(places(1, [0])), 'bad-argument', /below 1/);
  await store.close();
});

test('a broken store is told of by the file', async (context) => {
  const folder = await newFolder(context);
  const file = (name: string) => join(folder, name);
  const store = await CaptionCopy.build(folder, [sourceOf('a', numbered('a', 100))]);
  await store.close();
  const contents = new Map<string, Buffer>();
  for (const name of await readdir(folder)) contents.set(name, await readFile(file(name)));
  assert.deepEqual([...contents.keys()].sort(), ['0000.ends', '0000.json', '0000.text', 'captions.json']);

  const withFault = async (name: string, fault: (path: string) => Promise<void>, ...messages: RegExp[]) => {
    await fault(file(name));
    const reading = async () => (await CaptionCopy.open(folder)).read(places(0, [...Array(100).keys()]));
    await refused(reading(), 'bad-file', new RegExp(name), /delete its folder/, ...messages);
    await writeFile(file(name), contents.get(name)!);
  };
  const writeAt =
    (position: number, ...bytes: number[]) =>
    async (path: string) => {
      const handle = await open(path, 'r+');
      await handle.write(Uint8Array.from(bytes), 0, bytes.length, position);
      await handle.close();
    };
  for (const name of ['0000.text', '0000.ends']) {
    const { length } = contents.get(name)!;
    await withFault(
      name,
      (path) => truncate(path, length - 1),
      new RegExp(`${length} bytes.* ${length - 1}`),
    );
    await withFault(name, (path) => writeFile(path, ''));
    await withFault(name, (path) => rm(path), /no file/);
  }
  await withFault('0000.text', writeAt(7, 0xff), /UTF-8/);
  await withFault('0000.ends', writeAt(800 - 8, 0, 0), /caption 99/);
  await withFault('0000.ends', writeAt(15, 0xff), /caption 1 /);
  await withFault('0000.ends', writeAt(400, 0xff), /caption 50 /);
  await withFault('captions.json', (path) => writeFile(path, '{"sources": ['));
  await withFault('captions.json', (path) => writeFile(path, '{"sources": [{}]}'));
});

test('more sources than files may be open', async (context) => {
  const folder = await newFolder(context);
  const sources = Array.from({ length: 70 }, (_, index) => sourceOf(`${index}`, [`in ${index}`]));
  const store = await CaptionCopy.build(folder, sources);
  const before = existsSync('/proc/self/fd') ? (await readdir('/proc/self/fd')).length : 0;
  for (let round = 0; round < 2; round += 1) {
    const captions = await store.read([...sources.keys()].map((source) => ({ source, index: 0 })));
    assert.deepEqual(
      captions,
      sources.map(({ name }) => `in ${name}`),
    );
  }
  const during = before > 0 ? (await readdir('/proc/self/fd')).length : 0;
  assert.ok(during <= before + 130, `${during - before} files are open`);
  await store.close();
});

test('what the system refuses is named', async (context) => {
  const folder = await newFolder(context);
  const source = sourceOf('a', numbered('a', 200_000));
  await mkdir(join(folder, '0000.text'), { recursive: true });
  await refused(CaptionCopy.build(folder, [source]), 'io', /captions: expected a place/, /a folder/);
  await refused(CaptionCopy.build(join(import.meta.filename, 'x'), [source]), 'io', /a file where a folder/);
  if (!existsSync('/dev/full')) return;
  await rm(join(folder, '0000.text'), { recursive: true });
  await symlink('/dev/full', join(folder, '0000.text'));
  await refused(CaptionCopy.build(folder, [source]), 'io', /a full disk/);
  await rm(join(folder, '0000.text'));
  const store = await CaptionCopy.build(folder, [source]);
  assert.deepEqual(await store.read(places(0, [199_999])), ['a 199999']);
  await store.close();
});

test('killed at any moment, a copy goes on and becomes what it would have been', async (context) => {
  const folder = await newFolder(context);
  const undisturbed = await newFolder(context);
  /** Also runs in the child: slow enough to be killed within a source. */
  function slowSource(number: number) {
    const slow = {
      name: `${number}`,
      origin: 'made here',
      weight: 1,
      bytes: number,
      version: '',
      reads: 0,
      pauses: true,
      async *captions() {
        slow.reads += 1;
        for (let at = 0; at < 30; at += 1) {
          const text = `an image of ${number}, ${at}, `.repeat(4);
          yield Array.from({ length: 1000 }, (_, index) => text + index);
          if (slow.pauses) await new Promise((done) => setTimeout(done, 1));
        }
      },
    };
    return slow;
  }
  const quickSources = () =>
    [0, 1, 2, 3].map((number) => Object.assign(slowSource(number), { pauses: false }));
  const script = `import { CaptionCopy } from ${JSON.stringify(new URL('./copy.ts', import.meta.url).href)};
    ${slowSource}
    await CaptionCopy.build(${JSON.stringify(folder)}, [0, 1, 2, 3].map(slowSource));`;
  const storedBytes = async (): Promise<number> => {
    const names = await readdir(folder).catch(() => []);
    const sizes = names.filter((name) => name.endsWith('.text')).map((name) => stat(join(folder, name)));
    return (await Promise.all(sizes)).reduce((sum, { size }) => sum + size, 0);
  };
  const notes = async (): Promise<number> =>
    (await readdir(folder)).filter((name) => /^\d+\.json$/.test(name)).length;

  let [bytes, killed] = [0, 0];
  for (let kill = 0; kill < 3; kill += 1) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
    while ((await storedBytes()) <= bytes && child.exitCode === null) await pause(2);
    await pause(Math.random() * 40);
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    if (child.signalCode === 'SIGKILL') killed += 1;
    bytes = await storedBytes();
  }
  assert.ok(killed > 0);
  const finished = await notes();
  const sources = quickSources();
  const store = await CaptionCopy.build(folder, sources);
  assert.equal(sources.filter(({ reads }) => reads === 0).length, finished);
  const fresh = await CaptionCopy.build(undisturbed, quickSources());
  assert.deepEqual(store.sources, fresh.sources);
  for (const name of await readdir(undisturbed)) {
    const [found, expected] = [await readFile(join(folder, name)), await readFile(join(undisturbed, name))];
    assert.ok(found.equals(expected), name);
  }
  const last = await store.read(places(3, [29_999]));
  assert.deepEqual(last, [`${'an image of 3, 29, '.repeat(4)}999`]);
  await store.close();
  await fresh.close();
});
