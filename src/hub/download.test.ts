/** What can go wrong on the way: every fault of a server, and what is kept of a download. */

import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { commit, id, refused, setUp, weights, weightsTag } from '../../test/hub-setup.ts';
import type { DownloadProgress } from '../core/index.ts';
import { listCachedModels, pullModel, resolveModel } from './index.ts';

test('a connection that is cut once goes on where it stopped', async (context) => {
  const { hub, options } = await setUp(context);
  hub.faults.set('model.safetensors', { cutAt: 20_000, times: 1 });
  const { folder } = await resolveModel(id, options);
  assert.deepEqual(await readFile(join(folder, 'model.safetensors')), weights);
  assert.deepEqual(
    hub
      .requestsFor('model.safetensors')
      .filter(({ host }) => host === 'storage')
      .map(({ range }) => range),
    [undefined, 'bytes=20000-'],
  );
});

test('a connection that is always cut ends in an error, and the next run resumes', async (context) => {
  const { hub, repository, options, offline } = await setUp(context);
  hub.faults.set('model.safetensors', { cutAt: 20_000 });
  await refused(
    resolveModel(id, options),
    'network',
    /acme\/tiny-clip\/model\.safetensors/,
    /3 times/,
    /resumes/,
  );
  assert.equal((await stat(join(repository, 'blobs', `${weightsTag}.incomplete`))).size, 20_000);
  assert.deepEqual(await readdir(join(repository, 'refs')).catch(() => []), []);
  await refused(resolveModel(id, offline), 'not-found', /HF_HUB_OFFLINE/);
  await refused(resolveModel(`${id}@${commit}`, offline), 'not-found', /model\.safetensors/);
  assert.deepEqual(
    (await listCachedModels(options)).map(({ complete }) => complete),
    [false],
  );

  hub.faults.clear();
  hub.requests.length = 0;
  const { folder } = await resolveModel(id, options);
  assert.deepEqual(await readFile(join(folder, 'model.safetensors')), weights);
  assert.equal(
    hub.requestsFor('model.safetensors').every(({ range }) => range === 'bytes=20000-'),
    true,
  );
  assert.deepEqual(
    await readdir(join(repository, 'blobs')).then((names) => names.filter((name) => /incomplete/.test(name))),
    [],
  );
});

test('a server that ignores the range sends the file anew', async (context) => {
  const { hub, repository, options } = await setUp(context);
  await mkdir(join(repository, 'blobs'), { recursive: true });
  await writeFile(join(repository, 'blobs', `${weightsTag}.incomplete`), weights.subarray(0, 30_000));
  hub.faults.set('model.safetensors', { ignoresRange: true });
  const { folder } = await resolveModel(id, options);
  assert.deepEqual(await readFile(join(folder, 'model.safetensors')), weights);
});

test('a complete .incomplete file needs no request', async (context) => {
  const { hub, repository, options } = await setUp(context);
  await mkdir(join(repository, 'blobs'), { recursive: true });
  await writeFile(join(repository, 'blobs', `${weightsTag}.incomplete`), weights);
  await resolveModel(id, options);
  assert.equal(hub.requestsFor('model.safetensors').length, 0);
});

for (const [what, fault] of Object.entries({
  'other bytes of the right size': { content: Buffer.alloc(weights.length) },
  'too few bytes': { content: weights.subarray(1) },
  'too many bytes': { content: Buffer.concat([weights, weights]) },
  'too many bytes without a length': { content: Buffer.concat([weights, weights]), chunked: true },
})) {
  test(`${what}: an error, and nothing is kept`, async (context) => {
    const { hub, repository, options } = await setUp(context);
    hub.faults.set('model.safetensors', fault);
    await refused(
      resolveModel(id, options),
      'network',
      /50000 bytes with the hash/,
      /nothing of it was kept/,
    );
    assert.equal(
      (await readdir(join(repository, 'blobs'))).some((name) => name.startsWith(weightsTag)),
      false,
    );
    hub.faults.clear();
    await resolveModel(id, options);
  });
}

test('left-over bytes that are wrong are found out and removed', async (context) => {
  const { repository, options } = await setUp(context);
  await mkdir(join(repository, 'blobs'), { recursive: true });
  for (const wrong of [Buffer.alloc(30_000), Buffer.alloc(50_000), Buffer.alloc(60_000)]) {
    await writeFile(join(repository, 'blobs', `${weightsTag}.incomplete`), wrong);
    await refused(resolveModel(id, options), 'network', /nothing of it was kept/);
  }
  await resolveModel(id, options);
});

test('a file that ends too early is not waited for endlessly', async (context) => {
  const { hub, options } = await setUp(context);
  hub.faults.set('model.safetensors', { content: weights.subarray(0, 100), chunked: true });
  await refused(resolveModel(id, options), 'network', /HTTP status 416/); // to the second request
  hub.faults.set('model.safetensors', { cutAt: 100, ignoresRange: true });
  await refused(resolveModel(id, options), 'network', /\(3 times\)/);
});

test('a small file is checked by its git hash', async (context) => {
  const { hub, options } = await setUp(context);
  hub.faults.set('tokenizer.json', { content: Buffer.from('{"model": []}') });
  await refused(resolveModel(id, options), 'network', /tokenizer\.json: expected 13 bytes/);
});

test('a silent server is given up after the time set, a slow one is not', async (context) => {
  const { hub, options } = await setUp(context);
  const hasty = { ...options, patience: { ...options.patience, silence: 400 } };
  hub.faults.set('model.safetensors', { stallAt: 10_000 });
  await refused(resolveModel(id, hasty), 'network', /no data for 0\.4 s \(3 times\)/);
  hub.faults.set('model.safetensors', { trickle: 15 }); // 40 more pieces: longer than the silence allowed
  await resolveModel(id, hasty);
});

test('a busy server is asked again, as late as it wants', async (context) => {
  const { hub, options } = await setUp(context);
  hub.faults.set('', { status: 429, headers: { 'retry-after': '1' }, times: 1 });
  hub.faults.set('model.safetensors', { status: 500, times: 2 });
  const start = performance.now();
  await resolveModel(id, options);
  assert.ok(performance.now() - start >= 990);
  hub.faults.set('', { status: 503 });
  await refused(pullModel(id, options), 'network', /HTTP status 503 \(3 times\)/);
});

test('calls at the same moment download every file once', async (context) => {
  const { hub, options } = await setUp(context);
  hub.faults.set('model.safetensors', { trickle: 2 });
  const models = await Promise.all([1, 2, 3].map(() => resolveModel(id, options)));
  assert.equal(new Set(models.map(({ folder }) => folder)).size, 1);
  assert.deepEqual(await readFile(join(models[0]?.folder ?? '', 'model.safetensors')), weights);
  assert.equal(hub.requestsFor('model.safetensors').length, 2); // the hub, then its storage
});

test('an abort ends the download with its reason and keeps what has arrived', async (context) => {
  const { hub, repository, options } = await setUp(context);
  hub.faults.set('model.safetensors', { trickle: 5 });
  const controller = new AbortController();
  const reason = new Error('enough');
  const onProgress = ({ file, receivedBytes }: DownloadProgress) => {
    if (file === 'model.safetensors' && receivedBytes > 5000) controller.abort(reason);
  };
  await assert.rejects(resolveModel(id, { ...options, onProgress, signal: controller.signal }), reason);
  assert.ok((await stat(join(repository, 'blobs', `${weightsTag}.incomplete`))).size > 5000);
  assert.deepEqual(await readdir(join(repository, '..', '.locks', 'models--acme--tiny-clip')), []);
});

test('a cache that cannot be written is an error of its own', async (context) => {
  const { home, options } = await setUp(context);
  await writeFile(join(home, 'hub'), 'a file where the folder should be');
  await refused(resolveModel(id, options), 'io', /hub: expected a place that can be written/);
});
