/** Tables and lists of any length, with so little memory that they go to disk. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Scratch } from '../../files/index.ts';
import { LongList } from './list.ts';
import type { Entry } from './run.ts';
import { RecordTable } from './table.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-records-'));
});
after(() => rm(folder, { recursive: true }));

const entry = (number: number): Entry => {
  return {
    marks: number % 7,
    size: number,
    modified: number + 0.5,
    statusChanged: number % 2 ? Number.NaN : number,
  };
};

describe('a table of records', () => {
  test('finds and changes what was put, in memory and on disk', async () => {
    const scratch = await Scratch.in(folder);
    for (const held of [100_000, 3000, 500]) {
      const table = new RecordTable(scratch, held);
      const wanted = new Map<string, Entry>();
      for (let number = 0; number < 20_000; number += 1) {
        table.put(`/a/${number}`, entry(number));
        wanted.set(`/a/${number}`, entry(number));
        if (number % 50 === 0) await table.tidy();
        if (number % 3 !== 0) continue;
        const name = `/a/${number >> 1}`;
        const found = table.find(name)!;
        found.marks = 9;
        found.size += 0.25;
        table.update(found);
        const one = wanted.get(name)!;
        wanted.set(name, { ...one, marks: 9, size: one.size + 0.25 });
        if (number === 12_000) await table.settle();
      }
      assert.equal(table.isSpilled, held < 20_000);
      for (const isSettled of [false, true]) {
        if (isSettled) await table.settle();
        for (const [name, { marks, size, modified, statusChanged }] of wanted) {
          const { run: _, place: __, ...found } = table.find(name)!;
          assert.deepEqual(found, { marks, size, modified, statusChanged });
        }
        for (let number = 0; number < 5000; number += 1) assert.equal(table.find(`/b/${number}`), undefined);
      }
      table.close();
    }
    assert.deepEqual(await readdir(folder), []);
  });

  test('combines entries of one name, however far apart they came', async () => {
    const scratch = await Scratch.in(folder);
    const combine = (before: Entry, now: Entry) => ({ ...now, size: before.size * 10 + now.size });
    for (const held of [10_000, 40]) {
      const table = new RecordTable(scratch, held, combine);
      for (const size of [1, 2, 3]) {
        for (let number = 0; number < 500; number += 1) {
          table.put(`${number}`, { ...entry(number), size });
          await table.tidy();
        }
      }
      await table.settle();
      for (let number = 0; number < 500; number += 1) assert.equal(table.find(`${number}`)!.size, 123);
      table.close();
    }
  });
});

test('a long list has its items in order, as often as it is read', async () => {
  const scratch = await Scratch.in(folder);
  const list = new LongList<{ readonly path: string; readonly size?: number }>(scratch, 100);
  const items = Array.from({ length: 30_000 }, (_, at) => ({ path: `/é\n${'x'.repeat(at % 90)}`, size: at }));
  for (const item of items) list.push(item);
  assert.equal(list.length, items.length);
  for (let round = 0; round < 2; round += 1) assert.deepEqual([...list], items);
  list.push({ path: 'last' });
  assert.deepEqual([...list].at(-1), { path: 'last' });
  list.close();
});

test('says what a full disk lacks before it begins', async () => {
  const scratch = await Scratch.in(folder);
  await scratch.expectRoom(1);
  await assert.rejects(
    scratch.expectRoom(1e18),
    /expected .* for temporary files, found .*; free some space, or set LINCIR_CACHE to a folder on another disk/,
  );
});

test('nothing is left of a process that is killed', async () => {
  const code = `
    import { Scratch } from ${JSON.stringify(new URL('../../files/index.ts', import.meta.url).href)};
    import { RecordTable } from ${JSON.stringify(new URL('./table.ts', import.meta.url).href)};
    const table = new RecordTable(await Scratch.in(${JSON.stringify(folder)}), 10);
    for (let n = 0; ; n += 1) {
      table.put(String(n), { marks: 0, size: n, modified: n, statusChanged: n });
      await table.tidy();
      if (n === 1000) console.log('spilled');
    }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  await Scratch.in(folder); // What a kill between two calls of the system left, the next process removes.
  const left = await readdir(folder);
  assert.ok(left.length <= 1, `${left}`);
});
