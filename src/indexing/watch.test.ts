/** An index that is kept up to date: real changes of real folders, whatever happens to them. */

import assert from 'node:assert/strict';
import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { create as createTar } from 'tar';
import { place, writePicture } from '../../test/pictures.ts';
import { loadClip } from '../clip/index.ts';
import { openMetadata } from '../pictures/index.ts';
import { backendOf, reservedColumns } from '../store/index.ts';
import { openIndex } from './image-index.ts';
import { reindex } from './reindex.ts';
import { type WatchEvent, type WatchOptions, watchIndex } from './watch.ts';

const load = () => loadClip(join(import.meta.dirname, '../../test/fixtures/tiny-clip'));
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-watch-'));
});
after(() => rm(folder, { recursive: true, force: true }));

interface Watched {
  readonly events: readonly WatchEvent[];
  /** Waits until the index has images of these paths below the test's folder; their ids. */
  readonly paths: (paths: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  /** Waits until the watch waits after a further update, for which this holds. */
  readonly waits: (holds?: (problems: string) => boolean) => Promise<void>;
}

/** Watches while `work` goes on. Then the watch must end in order. */
async function watching(
  uri: string,
  options: WatchOptions,
  work: (watched: Watched) => Promise<void>,
): Promise<void> {
  const events: WatchEvent[] = [];
  const end = new AbortController();
  const given = { quietMilliseconds: 100, readers: 1, ...options, signal: end.signal };
  const ended = (async () => {
    for await (const event of watchIndex(uri, load, given)) events.push(event);
  })();
  let hasEnded = false;
  const ending = ended.finally(() => {
    hasEnded = true;
  });
  ending.catch(() => {});
  const until = async (holds: () => boolean | Promise<boolean>) => {
    while (!(await holds())) {
      if (hasEnded) await ended.then(() => assert.fail('the watch has ended'));
      await pause(20);
    }
  };
  const isWaiting = () => events.at(-1)?.kind === 'waiting';
  const waits: Watched['waits'] = async (holds = () => true) => {
    let seen = events.length;
    await until(() => {
      const later = events.slice(seen);
      seen = events.length;
      return later.some(
        (event) => event.kind === 'waiting' && holds(event.problems.map(({ message }) => message).join('\n')),
      );
    });
  };
  const paths: Watched['paths'] = async (wanted) => {
    let found: ReadonlyMap<string, string> = new Map();
    await until(async () => {
      if (!isWaiting()) return false;
      found = await idsIn(uri);
      return [...found.keys()].sort().join() === [...wanted].sort().join();
    });
    return found;
  };
  try {
    await until(isWaiting);
    await work({ events, paths, waits });
  } finally {
    end.abort();
    // It may be amid one more update, which the signal ends.
    await ended.catch((error: Error) => assert.equal(error.name, 'AbortError', error.stack));
  }
}

/** Ids of an index's images, by their paths below the test's folder. */
async function idsIn(uri: string): Promise<ReadonlyMap<string, string>> {
  const { backend, location } = await backendOf(uri);
  const store = await backend.open(location, 'read');
  const images = (await Array.fromAsync(store.images())).flat();
  await store.close();
  return new Map(images.map(({ path, id }) => [relative(folder, path), id]));
}

async function filesIn(...photos: readonly string[]): Promise<string[]> {
  const entries = await Promise.all(
    photos.map((some) => readdir(some, { recursive: true, withFileTypes: true })),
  );
  const files = entries.flat().filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) => relative(folder, join(parentPath, name)));
}

function updatesOf(events: readonly WatchEvent[]) {
  return events.flatMap((event) => (event.kind === 'end' ? [event.summary] : []));
}

describe('changes of files', { concurrency: 3 }, () => {
  test('new, changed and removed ones', async () => {
    const { photos, uri } = await place(folder, 6);
    await watching(uri, { images: [photos] }, async ({ events, paths }) => {
      assert.equal(updatesOf(events)[0]!.added, 6);
      await writePicture(join(photos, 'sub/new.png'), 50);
      await paths(await filesIn(photos));
      await writePicture(join(photos, '0.png'), 51);
      while (updatesOf(events).every(({ changed }) => changed === 0)) await pause(20);
      await unlink(join(photos, 'sub/new.png'));
      await paths(await filesIn(photos));
    });
  });

  test('renamed files and moved folders keep ids and metadata', async () => {
    const { photos, uri } = await place(folder, 8);
    await watching(uri, { images: [photos] }, async ({ paths }) => {
      const before = await paths(await filesIn(photos));
      const table = join(folder, 'ratings.csv');
      await writeFile(table, `path,rating\n${join(photos, '0.png')},5\n`);
      const index = await openIndex(uri, { access: 'write' }); // nobody else holds it
      await index.annotate(await openMetadata(table, { reserved: reservedColumns }), [photos]);
      await index.close();
      await mkdir(join(photos, 'deep/2024.summer'), { recursive: true });
      await rename(join(photos, '0.png'), join(photos, 'deep/2024.summer/zero.png'));
      await rename(join(photos, 'sub'), join(photos, 'deep/moved.sub'));
      const moved = await paths(await filesIn(photos));
      const below = relative(folder, photos);
      assert.equal(moved.get(`${below}/deep/moved.sub/1.png`), before.get(`${below}/sub/1.png`));
      assert.equal(moved.get(`${below}/deep/2024.summer/zero.png`), before.get(`${below}/0.png`));
      // Folders that came later are watched, too, under names that no image has.
      await rename(join(photos, 'deep/moved.sub'), join(photos, 'deep/again.sub'));
      await paths(await filesIn(photos));
      await writePicture(join(photos, 'deep/again.sub/late.png'), 60);
      await paths(await filesIn(photos));
      const present = await openIndex(uri);
      assert.equal((await present.find(before.get(`${below}/0.png`)!))?.metadata.rating, 5);
      await present.close();
    });
  });

  test('hundreds at once, in folders that are new, are few updates', async () => {
    const { photos, uri } = await place(folder, 2);
    const { photos: many } = await place(folder, 400);
    await watching(uri, { images: [photos], quietMilliseconds: 1000 }, async ({ events, paths }) => {
      await mkdir(join(photos, 'a/b/c'), { recursive: true });
      const files = await readdir(many, { recursive: true, withFileTypes: true });
      for (const file of files.filter((entry) => entry.isFile())) {
        const bytes = await readFile(join(file.parentPath, file.name));
        await writeFile(join(photos, Number.parseInt(file.name, 10) % 2 ? 'a/b/c' : 'a', file.name), bytes);
      }
      await paths(await filesIn(photos));
      const updates = updatesOf(events).filter(({ added }) => added > 0);
      assert.ok(updates.length <= 10, `${updates.length} updates`);
    });
  });

  test('a file that is written slowly is in the index, and broken no longer', async () => {
    const { photos, uri } = await place(folder, 2);
    const whole = await readFile(join(photos, '0.png'));
    await watching(uri, { images: [photos], longestWait: 300 }, async ({ paths }) => {
      const changed = Buffer.concat([whole.subarray(0, -12), whole.subarray(-12)]);
      for (let at = 0; at < changed.length; at += 100) {
        await appendFile(join(photos, 'slow.png'), changed.subarray(at, at + 100));
        await pause(50);
      }
      await paths(await filesIn(photos));
    });
    const index = await openIndex(uri);
    assert.deepEqual((await Array.fromAsync(index.broken())).flat(), []);
    await index.close();
  });

  test('what is no image, or left out, or the index itself, begins no update', async () => {
    const { photos } = await place(folder, 2);
    const uri = join(photos, 'own.lance');
    await watching(uri, { images: [photos], exclude: ['*.tmp.png'] }, async ({ events, paths }) => {
      const updates = updatesOf(events).length;
      await writeFile(join(photos, 'notes.txt'), 'x');
      await writeFile(join(photos, '.0.png.swp'), 'x');
      await writePicture(join(photos, 'half.tmp.png'), 70);
      await unlink(join(photos, 'notes.txt'));
      await pause(500);
      assert.equal(updatesOf(events).length, updates);
      // An editor writes beside, and renames.
      await writePicture(join(photos, '.1.part'), 71);
      await rename(join(photos, '.1.part'), join(photos, 'edited.png'));
      const below = relative(folder, photos);
      await paths(['0.png', 'sub/1.png', 'edited.png'].map((name) => `${below}/${name}`));
      await pause(500);
      assert.ok(updatesOf(events).length <= updates + 2, 'the index changes, and that is no change');
    });
  });
});

describe('changes of what was named', { concurrency: 3 }, () => {
  test('a folder that is gone is told, its images stay, and it is watched again', async () => {
    const { photos, uri } = await place(folder, 6);
    const { photos: other } = await place(folder, 2);
    await watching(uri, { images: [photos, other] }, async ({ paths, waits }) => {
      const all = await filesIn(photos, other);
      await rename(photos, `${photos}-away`);
      await waits((problems) => /expected most of the images .* found 0/.test(problems));
      assert.deepEqual([...(await idsIn(uri)).keys()].sort(), all.sort());
      // What else was named goes on.
      await writePicture(join(other, 'new.png'), 80);
      await paths([...all, relative(folder, join(other, 'new.png'))]);
      await rename(`${photos}-away`, photos);
      await waits((problems) => problems === '');
      await writePicture(join(photos, 'late.png'), 81);
      await paths(await filesIn(photos, other));
    });
  });

  test('shards, files and lists', async () => {
    const { photos, uri } = await place(folder, 6);
    const shard = join(folder, 'shard.tar');
    const list = join(folder, 'list.txt');
    const single = join(photos, '4.png');
    await createTar({ file: shard, cwd: photos }, ['0.png']);
    await writeFile(list, `${join(photos, '2.png')}\n`);
    const below = relative(folder, photos);
    const named = [`${below}/2.png`, `${below}/4.png`, 'shard.tar!/0.png'];
    await watching(uri, { images: [shard, single], lists: [list] }, async ({ paths }) => {
      await paths(named);
      await createTar({ file: `${shard}.new`, cwd: photos }, ['0.png', 'sub/1.png']);
      await rename(`${shard}.new`, shard);
      await paths([...named, 'shard.tar!/sub/1.png']);
      await appendFile(list, `${join(photos, 'sub/3.png')}\n`);
      await paths([...named, 'shard.tar!/sub/1.png', `${below}/sub/3.png`]);
    });
  });

  test('what never existed is refused', async () => {
    const { uri } = await place(folder, 0);
    await assert.rejects(Array.fromAsync(watchIndex(uri, load, { images: [join(folder, 'nowhere')] })), {
      code: 'not-found',
    });
  });
});

describe('other processes', { concurrency: 3 }, () => {
  test('another writer is waited for', async () => {
    const { photos, uri } = await place(folder, 2);
    await watching(uri, { images: [photos], pollSeconds: 1 }, async ({ paths, waits }) => {
      const index = await openIndex(uri, { access: 'write' });
      await writePicture(join(photos, 'new.png'), 90);
      await waits((problems) => /no other process works in/.test(problems));
      await index.close();
      await paths(await filesIn(photos));
    });
  });

  test('an index that was rebuilt is kept up to date with its new settings', async () => {
    const { photos, uri } = await place(folder, 2);
    await watching(uri, { images: [photos] }, async ({ paths }) => {
      const clip = await load();
      await Array.fromAsync(reindex(uri, clip, { precision: 'float16' }));
      await clip.dispose();
      await writePicture(join(photos, 'new.png'), 91);
      await paths(await filesIn(photos));
      const index = await openIndex(uri);
      assert.equal(index.info.precision, 'float16');
      await index.close();
    });
  });
});
