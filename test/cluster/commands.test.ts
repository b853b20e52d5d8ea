/** All commands that use an index, as a user meets them, with one in a cluster. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { lincir as lincirIn, start } from '../command-line.ts';
import { writePicture } from '../pictures.ts';
import { newClusterIndex, skipsCluster } from '../stores.ts';

const model = join(import.meta.dirname, '../fixtures/tiny-clip');
const pictures = join(import.meta.dirname, '../../examples/pictures');
const house = 'photos/house-with-red-roof.png';

/** Reads a stream's lines until one matches, and goes on there. */
function linesOf(stream: NodeJS.ReadableStream): (pattern: RegExp) => Promise<string> {
  const lines = createInterface({ input: stream })[Symbol.asyncIterator]();
  return async (pattern) => {
    const seen: string[] = [];
    for (;;) {
      const { done, value } = await lines.next();
      if (done) throw new Error(`no line matches ${pattern} in:\n${seen.join('\n')}`);
      if (pattern.test(value)) return value;
      seen.push(value);
    }
  };
}

describe('commands on an index in OpenSearch', { skip: skipsCluster }, () => {
  test('index, search, watch, remove, rebuild and serve', async (context) => {
    const folder = await mkdtemp(join(tmpdir(), 'lincir-cluster-'));
    context.after(() => rm(folder, { recursive: true }));
    const lincir = async (...args: string[]) => {
      const { stdout, stderr, code } = await lincirIn(args, { folder });
      assert.equal(code, 0, stderr);
      return `${stdout}${stderr}`;
    };
    const index = newClusterIndex();
    await cp(pictures, join(folder, 'photos'), { recursive: true });
    await writeFile(join(folder, 'photos/broken.jpg'), 'no image');
    await writeFile(join(folder, 'ratings.csv'), `path,rating\n${house},5\n`);
    const made = await lincir(
      ...['index', 'photos', '--index', index, '--model', model, '--metadata', 'ratings.csv'],
    );
    assert.match(made, /6 images \(6 new\), 1 broken/);
    assert.match(made, /1 row for 1 image, 1 of them changed/);
    assert.match(await lincir('index', 'photos', '--index', index), /6 images \(6 unchanged\)/);

    const search = (...more: string[]) =>
      lincir('search', '--index', index, '--text', 'a house', '--paths', ...more);
    assert.equal((await search()).trim().split('\n').length, 6);
    assert.match(await search('--where', 'rating = 5', '--exact'), /^\S*photos\/house-with-red-roof\.png\n$/);

    const watching = start(['index', 'photos', '--index', index, '--watch'], { folder });
    context.after(() => watching.kill('SIGKILL'));
    const said = linesOf(watching.stderr!);
    await said(/^watching for changes/);
    await writePicture(join(folder, 'photos/later.png'), 7);
    await said(/^7 images \(1 new, 6 unchanged\)/);
    watching.kill('SIGINT');
    await once(watching, 'exit');

    const server = start(['serve', '--index', index, '--port', '0'], { folder });
    context.after(() => server.kill('SIGKILL'));
    const url = /http:\/\/[^/\s]+/.exec(await linesOf(server.stderr!)(/http:\/\//))![0];
    const served = async () => {
      const body = JSON.stringify({ text: 'a house', limit: 50 });
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${url}/api/v1/search`, { method: 'POST', headers, body });
      assert.equal(answer.status, 200, await answer.clone().text());
      return ((await answer.json()) as { images: unknown[] }).images.length;
    };
    assert.equal(await served(), 7);
    assert.match(await lincir('index', '--index', index, '--remove', house), /1 image taken out/);
    assert.match(await lincir('reindex', '--index', index, '--precision', 'float16'), /6 images/);
    assert.equal(await served(), 6);
    const stats = JSON.parse(await lincir('index', '--index', index, '--stats', '--json'));
    assert.deepEqual([stats.images, stats.broken.length, stats.precision], [6, 1, 'float16']);
    server.kill('SIGINT');
    await once(server, 'exit');
  });
});
