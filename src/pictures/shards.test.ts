/** Members of shards by the names that they would have in a folder. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { entry } from '../../test/archives.ts';
import { indexedBytes } from './bytes.ts';
import type { Unreadable, WalkOptions } from './files.ts';
import { indexPath } from './names.ts';
import { shardImages } from './shards.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-shards-'));
});
after(() => rm(folder, { recursive: true }));

async function shardOf(name: string, ...entries: readonly Buffer[]): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, Buffer.concat([...entries, Buffer.alloc(1024)]));
  return path;
}

/** Images with what is read of each, and what is told to be unreadable with its reason. */
async function look(shard: string, options: Omit<WalkOptions, 'onUnreadable'> = {}) {
  const unreadable: Unreadable[] = [];
  const found = await Array.fromAsync(
    shardImages(shard, { ...options, onUnreadable: (entry) => unreadable.push(entry) }),
  );
  const below = (path: string) => path.slice(indexPath(shard).length);
  const pictures = await Promise.all(
    found.map(async ({ path }) => [below(path), Buffer.from(await indexedBytes(path)).toString()]),
  );
  return { pictures, unreadable: unreadable.map(({ path, reason }) => [below(path), reason]) };
}

test('every way of writing a name is one name, of which the last member counts', async () => {
  const shard = await shardOf(
    'names.tar',
    ...[entry('a.png', 'old'), entry('./b.png', 'b'), entry('/abs.png', 'c'), entry('x//d.png', 'd')],
    ...[
      entry('x/../../up.png', 'e'),
      entry('./a.png', 'new'),
      entry('e\u0301.png', 'nfd'),
      entry('t.txt', 't'),
    ],
  );
  const { pictures } = await look(shard);
  assert.deepEqual(pictures, [
    ['!/b.png', 'b'],
    ['!/abs.png', 'c'],
    ['!/x/d.png', 'd'],
    ['!/up.png', 'e'],
    ['!/a.png', 'new'],
    ['!/e\u0301.png', 'nfd'],
  ]);
  for (const name of ['./a.png', '/a.png', 'x/../a.png', '../a.png']) {
    assert.equal(Buffer.from(await indexedBytes(`${shard}!/${name}`)).toString(), 'new');
  }
  assert.equal(Buffer.from(await indexedBytes(`${shard}!/\u00e9.png`)).toString(), 'nfd');
  assert.equal(indexPath('/f/s.tar!/./x//../../a.png'), '/f/s.tar!/a.png');
});

test('hidden members, those of systems and excluded ones are left out, as in folders', async () => {
  const shard = await shardOf(
    'hidden.tar',
    ...['._a.png', '__MACOSX/._a.png', '__MACOSX/b.png', '@eaDir/c.png', '.hidden/d.png'].map((name) =>
      entry(name, 'x'),
    ),
    ...['a.png', 'raw/e.png', 'deep/raw/f.png', 'deep/e\u0301.png'].map((name) => entry(name, 'x')),
  );
  const namesOf = async (exclude: readonly string[]) =>
    (await look(shard, { exclude })).pictures.map(([name]) => name);
  assert.deepEqual(await namesOf([]), ['!/a.png', '!/raw/e.png', '!/deep/raw/f.png', '!/deep/e\u0301.png']);
  assert.deepEqual(await namesOf(['raw', '\u00e9.png']), ['!/a.png']);
  assert.deepEqual(await namesOf(['raw/', 'deep/*.png']), ['!/a.png']);
  assert.deepEqual(await namesOf(['deep/raw']), ['!/a.png', '!/raw/e.png', '!/deep/e\u0301.png']);
});

test('hard links are what they lead to, and symbolic ones if they are followed', async () => {
  const shard = await shardOf(
    'links.tar',
    ...[entry('x/a.png', 'a'), entry('hard.png', '', 'Link', './x/a.png')],
    ...[
      entry('x/soft.png', '', 'SymbolicLink', '../hard.png'),
      entry('twice.png', '', 'SymbolicLink', 'x/soft.png'),
    ],
    ...[entry('nothing.png', '', 'Link', 'gone.png'), entry('out.png', '', 'SymbolicLink', '../links.png')],
    ...[entry('round.png', '', 'SymbolicLink', 'round.png'), entry('null.png', '', 'CharacterDevice')],
  );
  const toNothing = 'expected a file, found a link to no file in the shard';
  const hard = [
    ['!/x/a.png', 'a'],
    ['!/hard.png', 'a'],
  ];
  assert.deepEqual(await look(shard), { pictures: hard, unreadable: [['!/nothing.png', toNothing]] });
  assert.deepEqual(await look(shard, { followLinks: true }), {
    pictures: [...hard, ['!/x/soft.png', 'a'], ['!/twice.png', 'a']],
    unreadable: ['nothing', 'out', 'round'].map((name) => [`!/${name}.png`, toNothing]),
  });
});

test('what is broken is told of, and does not take the others along', async () => {
  const latin1 = (name: string) => {
    const block = entry(name.replace('\u00e9', 'e'), 'x');
    block.write(name, 0, 'latin1');
    block.fill(' ', 148, 156);
    const sum = block.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return block;
  };
  const cut = entry('c.png', 'c'.repeat(600)).subarray(0, 800);
  const path = join(folder, 'broken.tar');
  await writeFile(
    path,
    Buffer.concat([latin1('\u00e9.txt'), latin1('\u00e9.png'), entry('a.png', 'a'), cut]),
  );
  const { pictures, unreadable } = await look(path);
  assert.deepEqual(pictures, [['!/a.png', 'a']]);
  assert.deepEqual(unreadable, [
    ['!/\uFFFD.png', 'expected a name in UTF-8, found other bytes; rename it and pack it again'],
    ['', 'expected 600 bytes of "c.png", found 288: the archive is cut short; get the archive again'],
  ]);
  const empty = await shardOf('empty.tar');
  assert.deepEqual(await look(empty), { pictures: [], unreadable: [] });
});
