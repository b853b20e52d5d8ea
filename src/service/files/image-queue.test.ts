/** The queue of images to be made: which come first, which are dropped, and how it ends. */

import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { writePicture } from '../../../test/pictures.ts';
import type { LincirError } from '../../core/index.ts';
import type { RequestScope } from '../service.ts';
import { ImageQueue } from './image-queue.ts';
import type { ImageWork } from './image-work.ts';

let folder: string;
const works: ImageWork[] = [];
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-queue-'));
  for (let number = 0; number < 6; number += 1) {
    const file = join(folder, `${number}.png`);
    await writePicture(file, number);
    const bytes = await readFile(file);
    const image = { id: `${number}`, size: bytes.length, hash: hash('sha256', bytes) };
    works.push({ image, place: { file }, side: 64 });
  }
});
after(() => rm(folder, { recursive: true }));

function scope(signal = new AbortController().signal, milliseconds = 60_000): RequestScope {
  return { signal, deadline: performance.now() + milliseconds };
}

describe('the queue of images', () => {
  const queue = new ImageQueue({ atOnce: 1, most: 3 });

  test('makes the newest first, and those that are asked for again', async () => {
    const made: number[] = [];
    const ask = (number: number) =>
      queue.ask(`${number}`, works[number]!, scope()).then(() => made.push(number));
    await Promise.all([ask(0), ask(1), ask(2), ask(3), ask(1)]);
    assert.deepEqual(made, [0, 1, 1, 3, 2]);
  });

  test('makes one image for all who ask for it', async () => {
    const [one, other] = await Promise.all([1, 2].map(() => queue.ask('0', works[0]!, scope())));
    assert.equal(one, other);
    assert.equal(one!.type, 'image/jpeg');
  });

  test('drops what nobody waits for, and goes on for the others', async () => {
    const gone = new AbortController();
    const missing = { ...works[1]!, place: { file: join(folder, 'none.png') } };
    const first = queue.ask('0', works[0]!, scope());
    const left = queue.ask('1', missing, scope(gone.signal));
    const shared = [queue.ask('2', works[2]!, scope(gone.signal)), queue.ask('2', works[2]!, scope())];
    gone.abort(new Error('gone'));
    await assert.rejects(left, /gone/);
    await assert.rejects(shared[0]!, /gone/);
    await shared[1];
    await first;
    // Had the dropped one been made, it would have failed for those who ask now.
    await queue.ask('1', works[1]!, scope());
    assert.throws(() => queue.ask('0', works[0]!, scope(AbortSignal.abort(new Error('gone')))), /gone/);
  });

  test('tells who waits too long, and the oldest of too many, to ask again', async () => {
    const first = queue.ask('0', works[0]!, scope());
    const oldest = assert.rejects(queue.ask('1', works[1]!, scope()), (error: LincirError) => {
      return error.code === 'busy' && error.problem.retryAfter === 1;
    });
    const others = [2, 3, 4].map((number) => queue.ask(`${number}`, works[number]!, scope()));
    await oldest;
    await assert.rejects(queue.ask('4', works[4]!, scope(undefined, 0)), { code: 'busy' });
    await Promise.all([first, ...others]);
  });

  test('says what is wrong with an image, and makes the next', async () => {
    const other = { ...works[0]!, image: { ...works[0]!.image, hash: works[1]!.image.hash } };
    await assert.rejects(queue.ask('a', other, scope()), {
      code: 'not-found',
      message: /the file of image 0: .*found another one, or one that has changed/,
    });
    const none = { ...works[0]!, place: { file: join(folder, 'none.png') } };
    await assert.rejects(queue.ask('b', none, scope()), (error: Error) => {
      return /the file of image 0/.test(error.message) && !error.message.includes(folder);
    });
    assert.ok((await queue.ask('c', works[0]!, scope())).bytes.length > 0);
  });

  test('finishes what runs when it is closed, and refuses the rest', async () => {
    const first = queue.ask('0', works[0]!, scope());
    const second = assert.rejects(queue.ask('1', works[1]!, scope()), { code: 'busy' });
    await queue.close();
    assert.ok((await first).bytes.length > 0);
    await second;
    assert.throws(() => queue.ask('2', works[2]!, scope()), { code: 'busy' });
    await new ImageQueue().close();
  });
});
