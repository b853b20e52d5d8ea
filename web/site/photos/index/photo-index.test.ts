/** An index of photos in a tab: what a tab that is closed at any moment leaves, a full disk, and the ranking. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normals } from '../../../../src/core/index.ts';
import { type BytesFolder, memoryFolder } from './bytes-file.ts';
import { type NewEntry, PhotoIndex } from './photo-index.ts';

const dimensions = 12;
const header = { version: 1, fingerprint: 'abc', model: 'base', dimensions } as const;
const all = normals({ seed: 1, purpose: 'initialization', moment: 0, row: 0 }, 4000 * dimensions);

function picture(number: number, path = `day ${number % 7}/photo-${number} é.jpg`): NewEntry {
  return {
    ...{ kind: 'picture', id: number.toString(16).padStart(24, '0'), path, size: number, modified: 5 },
    ...{ width: 40, height: 30, hash: `${number % 50}` },
    embedding: all.slice(number * dimensions, (number + 1) * dimensions),
    thumbnail: Uint8Array.of(number % 256, 1, 2),
  };
}

const range = (count: number, first = 0) => Array.from({ length: count }, (_, at) => at + first);

test('what was added is there after opening again', async () => {
  const folder = memoryFolder();
  const index = await PhotoIndex.begin(folder, header);
  index.add(range(20).map((number) => picture(number)));
  index.add([
    { kind: 'gone', path: 'day 3/photo-3 é.jpg' },
    { kind: 'broken', path: 'x.jpg', size: 1, modified: 2, reason: 'no image' },
  ]);
  index.close();
  const again = (await PhotoIndex.open(folder))!;
  assert.deepEqual(again.header, header);
  assert.equal(again.rows.size, 19);
  assert.equal(again.rows.broken.get('x.jpg')?.reason, 'no image');
  assert.deepEqual([...again.thumbnail('7'.padStart(24, '0'))!], [7, 1, 2]);
  assert.equal(again.rows.withPath('day 3/photo-3 é.jpg'), undefined);
  const row = again.rows.withPath('day 0/photo-7 é.jpg')!;
  const embedding = all.subarray(7 * dimensions, 8 * dimensions);
  for (const [at, value] of again.rows.vector(row).entries())
    assert.ok(Math.abs(value * again.rows.norm(row) - embedding[at]!) < 1e-5);
});

test('a tab that is closed while it writes loses the last entries only, and mixes none', async () => {
  const folder = memoryFolder();
  const index = await PhotoIndex.begin(folder, header);
  const file = await folder.open('rows-1');
  const ends: number[] = [];
  for (const number of range(6)) {
    index.add([picture(number)]);
    ends.push(file.size);
  }
  const bytes = new Uint8Array(file.size);
  file.read(bytes, 0);
  for (const cut of range(bytes.length - ends[3]!, ends[3]!)) {
    // What was written last may be cut, or be zeros on the disk.
    for (const tail of [0, 64]) {
      const left = await leftAt(bytes.subarray(0, cut), tail);
      const rows = (await PhotoIndex.open(left))!.rows;
      const whole = ends.filter((end) => end <= cut).length;
      assert.equal(rows.size, whole, `cut at ${cut}`);
      for (const { facts, at } of rows.all()) {
        const first = all[facts.size * dimensions]!;
        assert.ok(Math.abs(rows.vector({ at })[0]! * rows.norm({ facts, at }) - first) < 1e-5);
      }
      const again = (await PhotoIndex.open(left))!;
      again.add([picture(9)]);
      assert.equal((await PhotoIndex.open(left))!.rows.size, whole + 1);
    }
  }
});

async function leftAt(bytes: Uint8Array, zeros: number): Promise<BytesFolder> {
  const folder = memoryFolder();
  await PhotoIndex.begin(folder, header);
  const file = await folder.open('rows-1');
  file.truncate(0);
  file.write(bytes, 0);
  file.write(new Uint8Array(zeros), bytes.length);
  return folder;
}

test('without room nothing of a batch is added, and what was there stays', async () => {
  for (const full of ['rows-1', 'thumbnails-1']) {
    const folder = memoryFolder();
    let room = Number.POSITIVE_INFINITY;
    const limited: BytesFolder = {
      ...folder,
      async open(name) {
        const file = await folder.open(name);
        if (name !== full) return file;
        return Object.create(file, {
          size: { get: () => file.size },
          read: { value: file.read.bind(file) },
          truncate: { value: file.truncate.bind(file) },
          flush: { value: () => {} },
          write: {
            value: (bytes: Uint8Array, at: number) => {
              file.write(bytes.subarray(0, Math.max(0, room - at)), at);
              if (at + bytes.length > room) throw new DOMException('full', 'QuotaExceededError');
            },
          },
        });
      },
    };
    const index = await PhotoIndex.begin(limited, header);
    index.add([picture(1), picture(2)]);
    room = (await folder.open(full)).size + 4;
    assert.throws(() => index.add([picture(3), picture(4)]), { name: 'QuotaExceededError' });
    assert.equal(index.rows.size, 2);
    room = Number.POSITIVE_INFINITY;
    index.add([picture(5)]);
    const again = (await PhotoIndex.open(folder))!;
    assert.deepEqual([...again.rows.all()].map(({ facts }) => facts.size).sort(), [1, 2, 5]);
    assert.deepEqual([...again.thumbnail('5'.padStart(24, '0'))!], [5, 1, 2]);
  }
});

test('files are written anew once most entries no longer count', async () => {
  const folder = memoryFolder();
  const index = await PhotoIndex.begin(folder, header);
  const id = (number: number) => number.toString(16).padStart(24, '0');
  for (const round of range(5))
    index.add(range(300).map((number) => ({ ...picture(number + round, `${number}`), id: id(number) })));
  const before = (await folder.open('rows-1')).size;
  const again = (await PhotoIndex.open(folder))!;
  assert.deepEqual((await folder.names()).sort(), ['current', 'rows-2', 'thumbnails-2']);
  assert.ok((await folder.open('rows-2')).size < before / 4);
  assert.equal(again.rows.size, 300);
  assert.deepEqual([...again.thumbnail(id(10))!], [14, 1, 2]);
  assert.deepEqual(
    [...(await PhotoIndex.open(folder))!.rows.all()].map(({ facts }) => facts.path),
    range(300).map((number) => `${number}`),
  );
});

test('a file that is no index counts as none', async () => {
  const folder = memoryFolder();
  (await folder.open('rows-0')).write(new Uint8Array(1000).fill(7), 0);
  assert.equal(await PhotoIndex.open(folder), undefined);
});

test('the nearest rows are the nearest of all, in order', async () => {
  const folder = memoryFolder();
  const index = await PhotoIndex.begin(folder, header);
  index.add(range(4000).map((number) => picture(number)));
  index.add(range(100, 50).map((number) => ({ kind: 'gone', path: picture(number).path })));
  index.add(range(5, 60).map((number) => picture(number)));
  const { rows } = index;
  const query = rows.vector(rows.withPath(picture(500).path)!).slice();
  const expected = [...rows.all()]
    .map((row) => ({
      path: row.facts.path,
      score: rows.vector(row).reduce((sum, value, at) => sum + value * query[at]!, 0),
    }))
    .sort((a, b) => b.score - a.score);
  const found = rows.nearest(query, 30, () => true);
  assert.deepEqual(
    found.map(({ row }) => row.facts.path),
    expected.slice(0, 30).map(({ path }) => path),
  );
  for (const [at, { score }] of found.entries()) assert.ok(Math.abs(score - expected[at]!.score) < 1e-5);
  assert.equal(rows.nearest(query, 10_000, () => true).length, 3905);
  const even = rows.nearest(query, 10, ({ facts }) => facts.size % 2 === 0);
  assert.ok(even.every(({ row }) => row.facts.size % 2 === 0) && even.length === 10);
});
