/** What names and beginnings of files say of them, in folders and in shards. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { entry } from '../../test/archives.ts';
import { looksOf } from './endings.ts';
import { isImageName, leftOutCounter } from './looks.ts';
import { indexPath } from './names.ts';
import { openSources } from './sources.ts';

const png = Buffer.from('\x89PNG\r\n\x1a\n and so on', 'latin1');

test('endings tell, and what is no ending is unclear', () => {
  for (const name of ['a.jpg', 'b.JFIF', 'c.heic', 'd.x.png']) assert.equal(looksOf(name), 'taken', name);
  for (const name of ['a.psd', 'b.XCF', 'c.mp4']) assert.equal(looksOf(name), 'left out', name);
  for (const name of ['a.txt', 'b.json', 'c.mp3', 'd.7z', 'e.ts']) assert.equal(looksOf(name), 'other', name);
  for (const name of ['photo', 'Scan 3.5.2024', 'a.jpg_large', 'b.jpeg~', 'c.', '\u732b', 'd.jpg 2']) {
    assert.equal(looksOf(name), 'unclear', name);
  }
});

test('a beginning is that of an image, or of something else', () => {
  assert.ok(isImageName(png));
  assert.ok(isImageName(Buffer.from('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>')));
  for (const text of ['', 'text', '<!DOCTYPE html><html><svg></svg></html>', '%PDF-1.7', '8BPS']) {
    assert.ok(!isImageName(Buffer.from(text)), text);
  }
});

test('folders and shards are looked into alike, and what is left out is counted', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-looks-'));
  try {
    const files: Readonly<Record<string, Buffer | string>> = {
      ...{
        'a.png': png,
        photo: png,
        'Scan 3.5.2024': png,
        'deep/\u732b': png,
        'deep/README': 'text',
        empty: '',
      },
      ...{ 'a.psd': '8BPS', 'b.PSD': '8BPS', 'deep/c.mp4': 'x', '.hidden.psd': 'x', '@eaDir/d.psd': 'x' },
      ...{ 'notes.txt': 'x', 'wrong.txt': png },
    };
    const inner = join(folder, 'in');
    for (const [name, data] of Object.entries(files)) {
      await mkdir(join(inner, name, '..'), { recursive: true });
      await writeFile(join(inner, name), data);
    }
    const shard = join(folder, 's.tar');
    await writeFile(shard, Buffer.concat(Object.entries(files).map(([name, data]) => entry(name, data))));
    for (const source of [inner, shard]) {
      const { counts, count: onLeftOut } = leftOutCounter();
      const onUnreadable = ({ path, reason }: { path: string; reason: string }) => assert.fail(path + reason);
      const { pictures } = await openSources([source], { onUnreadable, onLeftOut });
      const found = await Array.fromAsync(pictures());
      const names = found.map(({ path }) => path.slice(indexPath(source).length).replace(/^!?\//, ''));
      assert.deepEqual(names.sort(), ['Scan 3.5.2024', 'a.png', 'deep/\u732b', 'photo']);
      assert.deepEqual(counts, { psd: 2, mp4: 1 });
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
