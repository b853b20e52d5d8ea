/** The working folder: what survives which end, and what is refused. */

import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { PartialWork } from './partial-work.ts';

const job = {
  kind: 'images',
  model: 'tiny',
  fingerprint: 'f',
  normalized: false,
  targetPad: null,
  dimensions: 2,
} as const;
const names = ['a', 'b', 'c', 'd'];
const [rowsOfAB, rowOfC, rowOfD] = [
  [1, 1, 2, 2],
  [3, 3],
  [4, 4],
].map((row) => Float32Array.from(row)) as [Float32Array, Float32Array, Float32Array];

let scratch: string;
let folder: string;
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'lincir-partial-'));
});
after(() => rm(scratch, { recursive: true }));
beforeEach(async () => {
  folder = join(await mkdtemp(join(scratch, 'test-')), 'out.partial');
});

/** The output as the folder now gives it. */
async function contents(work: PartialWork) {
  const chunks = await Array.fromAsync(work.rows());
  return { names: await Array.fromAsync(work.names()), values: chunks.flatMap((chunk) => [...chunk]) };
}

test('a job goes on after its last whole row', async () => {
  const first = await PartialWork.open(folder, job, names);
  assert.deepEqual([first.done, first.count], [0, 4]);
  await first.append(rowsOfAB);
  await first.close();
  await appendFile(join(folder, 'rows.f32'), Buffer.from([1, 2, 3, 4, 5])); // killed while writing the next

  const second = await PartialWork.open(folder, { ...job, model: 'another name' }, names);
  assert.equal(second.done, 2);
  assert.deepEqual(await Array.fromAsync(second.namesFrom(second.done)), ['c', 'd']);
  await second.append(rowOfC);
  await second.append(rowOfD);
  assert.deepEqual(await contents(second), { names, values: [1, 1, 2, 2, 3, 3, 4, 4] });
  await second.remove();
  assert.deepEqual(await readdir(join(folder, '..')), []);
});

test('what is skipped leaves no row, and is known to later runs', async () => {
  const first = await PartialWork.open(folder, job, names);
  await first.skip({ index: 1, name: 'b', reason: 'broken' });
  await first.append(rowsOfAB);
  await first.skip({ index: 2, name: 'c', reason: 'killed before its row was added' });
  await first.close();
  await appendFile(join(folder, 'skipped.jsonl'), '{"index": 3, "na');

  const second = await PartialWork.open(folder, job, names);
  assert.deepEqual([...second.skipped.values()], [{ index: 1, name: 'b', reason: 'broken' }]);
  await second.append(rowOfC);
  await second.append(rowOfD);
  await second.close();

  const third = await PartialWork.open(folder, job, names);
  assert.equal(third.done, 4);
  assert.deepEqual(await contents(third), { names: ['a', 'c', 'd'], values: [1, 1, 3, 3, 4, 4] });
  await third.close();
});

test("another job's work is refused and stays as it is", async () => {
  const first = await PartialWork.open(folder, job, names);
  await first.append(rowsOfAB);
  await first.close();
  await assert.rejects(
    PartialWork.open(folder, { ...job, fingerprint: 'g', normalized: true }, ['a', 'b', 'x']),
    /fingerprint f, not g; normalized false, not true; other images \(4, not 3\).*delete the folder/,
  );
  const again = await PartialWork.open(folder, job, names);
  assert.equal(again.done, 2);
  await again.close();
});

test('names that cannot be read leave nothing behind', async () => {
  const torn = async function* () {
    yield 'a';
    throw new Error('torn');
  };
  await assert.rejects(PartialWork.open(folder, job, torn()), /torn/);
  assert.deepEqual(await readdir(join(folder, '..')), []);
});

test('rows without a description are nobody’s, and other files are not touched', async () => {
  const first = await PartialWork.open(folder, job, names);
  await first.append(rowsOfAB);
  await first.close();
  await rm(join(folder, 'job.json'));
  await writeFile(join(folder, 'mine.txt'), 'mine');
  const second = await PartialWork.open(folder, job, names);
  assert.equal(second.done, 0);
  await second.remove();
  assert.deepEqual(await readdir(folder), ['mine.txt']);
});

test('files that somebody has changed are named, by line and field', async () => {
  const work = await PartialWork.open(folder, job, names);
  await work.skip({ index: 1, name: 'b', reason: 'broken' });
  await work.append(rowsOfAB);
  await work.close();
  const refuses = async (file: string, text: string, place: string) => {
    const before = await readFile(join(folder, file));
    await writeFile(join(folder, file), text);
    await assert.rejects(PartialWork.open(folder, job, names), ({ message }: Error) => {
      assert.ok(message.startsWith(`${join(folder, file)}: ${place}expected `), message);
      return message.includes('; delete the folder');
    });
    await writeFile(join(folder, file), before);
  };
  await refuses(
    'skipped.jsonl',
    '{"index":1,"name":"b","reason":"broken"}\n{"index":"2"}\n',
    'line 2: index: ',
  );
  await refuses('job.json', '{"kind":"sounds"}', 'kind: ');
  await refuses('rows.f32', 'x'.repeat(5 * 8), '');
  await writeFile(join(folder, 'skipped.jsonl'), '{"index":0,"name"\n');
  const message = /skipped\.jsonl: line 1: expected JSON/;
  await assert.rejects(PartialWork.open(folder, job, names), { code: 'bad-file', message });
});
