/** Models by name, the layout of the cache, and what is downloaded of a repository. */

import assert from 'node:assert/strict';
import { lstat, mkdir, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { etagOf, type FakeModel } from '../../test/fake-hub.ts';
import { commit, id, refused, setUp, smallFiles, tiny, weights, weightsTag } from '../../test/hub-setup.ts';
import type { DownloadProgress } from '../core/index.ts';
import { listCachedModels, pullModel, resolveModel } from './index.ts';

test('a model is downloaded once, into the layout of the Hugging Face cache', async (context) => {
  const { hub, repository, options, offline } = await setUp(context);
  const model = await resolveModel(id, options);
  assert.deepEqual(model, { folder: join(repository, 'snapshots', commit), id, revision: commit });
  assert.deepEqual((await readdir(model.folder)).sort(), [
    'config.json',
    'model.safetensors',
    'preprocessor_config.json',
    'tokenizer.json',
    'tokenizer_config.json',
  ]);
  assert.deepEqual(await readFile(join(model.folder, 'model.safetensors')), weights);
  assert.equal(
    await realpath(join(model.folder, 'model.safetensors')),
    await realpath(join(repository, 'blobs', weightsTag)),
  );
  const configTag = etagOf(Buffer.from(smallFiles['config.json']), false);
  assert.equal((await readdir(join(repository, 'blobs'))).includes(configTag), true);
  assert.equal(await readFile(join(repository, 'refs', 'main'), 'utf8'), commit);
  assert.deepEqual((await readdir(join(repository, '.no_exist', commit))).sort(), [
    'added_tokens.json',
    'merges.txt',
    'open_clip_config.json',
    'processor_config.json',
    'special_tokens_map.json',
    'vocab.json',
    'vocab.txt',
  ]);

  const asked = hub.requests.length;
  for (const again of [id, `${id}@main`, `${id}@${commit}`]) {
    assert.deepEqual(await resolveModel(again, options), model);
    assert.deepEqual(await resolveModel(again, offline), model);
  }
  assert.equal(hub.requests.length, asked);
});

test('a model for which the disk is too small is refused before its first byte', async (context) => {
  const sizes = { 'model.safetensors': Number.MAX_SAFE_INTEGER };
  const { hub, options } = await setUp(context, [{ ...tiny, sizes }]);
  await refused(resolveModel(id, options), 'io', /9007 TB free for acme\/tiny-clip, found \d/, /HF_HOME/);
  assert.ok(hub.requests.every(({ path }) => !path.includes('/resolve/')));
});

test('progress reaches the size of every file and of all', async (context) => {
  const { options, hub } = await setUp(context);
  hub.faults.set('model.safetensors', { trickle: 0 });
  const seen: DownloadProgress[] = [];
  await resolveModel(id, { ...options, onProgress: (progress) => seen.push(progress) });
  const ofWeights = seen.filter(({ file }) => file === 'model.safetensors');
  assert.ok(ofWeights.length > 2);
  assert.ok(ofWeights.every(({ totalBytes }) => totalBytes === weights.length));
  const last = seen.at(-1);
  assert.equal(last?.receivedBytes, weights.length);
  assert.equal(last?.allReceivedBytes, last?.allTotalBytes);
  const all = seen.map(({ allReceivedBytes }) => allReceivedBytes);
  assert.deepEqual(
    all,
    all.toSorted((a, b) => a - b),
  );
});

test('pull asks for the branch again and downloads only what changed', async (context) => {
  const { hub, repository, options } = await setUp(context);
  await resolveModel(id, options);
  const newCommit = 'b'.repeat(40);
  hub.models.set(id, {
    ...tiny,
    commit: newCommit,
    files: { ...tiny.files, 'tokenizer.json': '{"model": 1}' },
  });
  assert.equal((await resolveModel(id, options)).revision, commit);

  hub.requests.length = 0;
  const pulled = await pullModel(id, options);
  assert.equal(pulled.revision, newCommit);
  assert.deepEqual(
    hub.requests.map(({ path }) => path),
    [`/api/models/${id}/revision/main`, `/${id}/resolve/${newCommit}/tokenizer.json`],
  );
  assert.equal(await readFile(join(pulled.folder, 'tokenizer.json'), 'utf8'), '{"model": 1}');
  assert.equal((await resolveModel(id, options)).revision, newCommit);
  assert.deepEqual((await readdir(join(repository, 'snapshots'))).sort(), [commit, newCommit]);
});

test('what does not exist is named', async (context) => {
  const { hub, options } = await setUp(context);
  await refused(resolveModel('acme/none', options), 'not-found', /acme\/none/, /RepoNotFound/, /HF_TOKEN/);
  hub.faults.set('', { status: 404, headers: { 'x-error-code': 'RevisionNotFound' } });
  await refused(resolveModel(`${id}@v9`, options), 'not-found', /tiny-clip@v9/, /RevisionNotFound/);
  hub.faults.clear();
  hub.faults.set('tokenizer.json', { status: 404, headers: { 'x-error-code': 'EntryNotFound' } });
  await refused(resolveModel(id, options), 'not-found', /tokenizer\.json/);
  hub.models.set('acme/bare', {
    id: 'acme/bare',
    commit,
    files: { 'config.json': '{}', 'flax_model.msgpack': '' },
  });
  await refused(resolveModel('acme/bare', options), 'not-found', /no such weights/);
});

test('a server that cannot be reached or is no hub is named', async (context) => {
  const { hub, options } = await setUp(context);
  const notAHub = { ...options.environment, HF_ENDPOINT: `${hub.endpoint}/storage` };
  await refused(resolveModel(id, { ...options, environment: notAHub }), 'not-found', /storage/);
  hub.models.set(id, { ...tiny, commit: '../../..' });
  await refused(resolveModel(id, options), 'network', /HF_ENDPOINT/);
  await hub[Symbol.asyncDispose]();
  await refused(resolveModel(id, options), 'network', /ECONNREFUSED/, /check the network/);
});

test('the token goes to the hub and not to where it redirects', async (context) => {
  const { hub, home, options } = await setUp(context, [{ ...tiny, token: 'hf_secret' }]);
  await refused(resolveModel(id, options), 'not-found', /set HF_TOKEN/);
  const wrong = { ...options.environment, HF_TOKEN: 'hf_wrong' };
  await refused(resolveModel(id, { ...options, environment: wrong }), 'not-found', /token in use/);
  await writeFile(join(home, 'token'), 'hf_secret\n');
  hub.requests.length = 0;
  await resolveModel(id, options);
  for (const { host, authorization } of hub.requests) {
    assert.equal(authorization, host === 'hub' ? 'Bearer hf_secret' : undefined);
  }
  assert.equal(
    hub.requests.some(({ host }) => host === 'storage'),
    true,
  );
});

test('a gated model says what to do', async (context) => {
  const { hub, options } = await setUp(context, [{ ...tiny, gated: true, token: 'hf_member' }]);
  await refused(resolveModel(id, options), 'network', /GatedRepo/, /accept its terms/, /HF_TOKEN/);
  await resolveModel(id, { ...options, environment: { ...options.environment, HF_TOKEN: 'hf_member' } });
  assert.ok(hub.requests.length > 0);
});

test('sharded weights come with all of their shards and nothing outside the folder', async (context) => {
  const index = (names: string[]) =>
    JSON.stringify({ weight_map: Object.fromEntries(names.map((name, k) => [`w${k}`, name])) });
  const sharded = (names: string[]): FakeModel => ({
    id,
    commit,
    files: {
      ...smallFiles,
      'model.safetensors.index.json': index(names),
      'model-00001-of-00002.safetensors': 'one',
      'model-00002-of-00002.safetensors': 'two',
      'pytorch_model.bin': 'not needed',
    },
    large: ['model-00001-of-00002.safetensors'],
  });
  const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
  const { hub, home, options, offline } = await setUp(context, [sharded(shards)]);
  const { folder } = await resolveModel(id, options);
  assert.deepEqual((await readdir(folder)).filter((name) => /model/.test(name)).sort(), [
    ...shards,
    'model.safetensors.index.json',
  ]);
  await rm(join(folder, shards[1] ?? ''));
  await refused(resolveModel(id, offline), 'not-found', /model\.safetensors/);
  await resolveModel(id, options);
  await resolveModel(id, offline);

  for (const name of [
    '../../../evil.safetensors',
    '/evil.safetensors',
    'a\\b.safetensors',
    '..',
    'C:x.bin',
  ]) {
    hub.models.set(id, { ...sharded([name]), commit: 'c'.repeat(40) });
    await refused(pullModel(id, options), 'bad-file', /index\.json: expected plain names/);
  }
  hub.models.set(id, { ...sharded(['absent.safetensors']), commit: 'd'.repeat(40) });
  await refused(pullModel(id, options), 'not-found', /absent\.safetensors/);
  assert.equal(
    (await readdir(home, { recursive: true })).some((name) => /evil/.test(name)),
    false,
  );
});

test('without symbolic links the snapshot holds files', async (context) => {
  const { options, offline } = await setUp(context, [tiny], { HF_HUB_DISABLE_SYMLINKS: '1' });
  const { folder } = await resolveModel(id, options);
  assert.equal((await lstat(join(folder, 'model.safetensors'))).isFile(), true);
  assert.deepEqual(await readFile(join(folder, 'model.safetensors')), weights);
  await resolveModel(id, offline);
});

test('what Python left is used: the weights of another format, a link without its blob, an outdated ref', async (context) => {
  const { hub, repository, options, offline } = await setUp(context);
  const folder = join(repository, 'snapshots', commit);
  const put = async (path: string, text: string) => {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  };
  for (const name of [
    'config.json',
    'preprocessor_config.json',
    'vocab.json',
    'merges.txt',
    'pytorch_model.bin',
  ]) {
    await put(join(folder, name), '{"model_type": "clip"}');
  }
  await put(join(repository, 'refs', 'main'), commit);
  assert.equal((await resolveModel(id, offline)).folder, folder);
  await rm(join(folder, 'pytorch_model.bin'));
  await symlink(join('..', '..', 'blobs', 'gone'), join(folder, 'pytorch_model.bin'));
  await refused(resolveModel(id, offline), 'not-found', /model\.safetensors/);
  await resolveModel(id, options);
  assert.deepEqual(await readFile(join(folder, 'model.safetensors')), weights);
  await put(join(repository, 'refs', 'main'), '../../../etc');
  hub.requests.length = 0;
  await resolveModel(id, options);
  assert.deepEqual(
    hub.requests.map(({ path }) => path),
    [`/api/models/${id}/revision/main`],
  );
});

const openClipFiles = {
  'open_clip_config.json': '{"model_cfg": {}}',
  'tokenizer.json': '{"model": {}}',
  'open_clip_pytorch_model.bin': 'not needed',
  'open_clip_model.safetensors': weights,
};
const named = (folder: string) => readdir(folder).then((names) => names.toSorted());

test("a repository in OpenCLIP's layout alone is downloaded in its best format, and is then complete", async (context) => {
  const openClip: FakeModel = { id, commit, files: openClipFiles, large: ['open_clip_model.safetensors'] };
  const { options, offline, hub } = await setUp(context, [openClip]);
  const { folder } = await resolveModel(id, options);
  const whole = ['open_clip_config.json', 'open_clip_model.safetensors', 'tokenizer.json'];
  assert.deepEqual(await named(folder), whole);
  const asked = hub.requests.length;
  await resolveModel(id, options);
  await resolveModel(id, offline);
  assert.equal(hub.requests.length, asked);
  assert.deepEqual(
    (await listCachedModels(options)).map((model) => [model.id, model.complete]),
    [[id, true]],
  );
  await rm(join(folder, 'open_clip_model.safetensors'));
  await refused(resolveModel(id, offline), 'not-found', /open_clip_model\.safetensors/);
  assert.deepEqual(
    (await listCachedModels(options)).map(({ complete }) => complete),
    [false],
  );
});

test('of two layouts, the one of transformers is taken if it is of a known family and has weights', async (context) => {
  const { hub, options, offline } = await setUp(context, []);
  const cases: [files: FakeModel['files'], weights: string][] = [
    [{ ...smallFiles, ...openClipFiles, 'model.safetensors': weights }, 'model.safetensors'],
    // timm's configuration and vision tower
    [
      { ...openClipFiles, 'config.json': '{"architecture": "vit"}', 'model.safetensors': weights },
      'open_clip_model.safetensors',
    ],
    [{ ...smallFiles, ...openClipFiles }, 'open_clip_model.safetensors'],
    [{ 'open_clip_config.json': '{}', 'pytorch_model.bin': weights }, 'pytorch_model.bin'],
  ];
  for (const [at, [files, expected]] of cases.entries()) {
    const each = `acme/both-${at}`;
    hub.models.set(each, { id: each, commit, files });
    const { folder } = await resolveModel(each, options);
    const found = (await named(folder)).filter((name) => /\.(safetensors|bin)$/.test(name));
    assert.deepEqual(found, [expected]);
    assert.equal((await resolveModel(each, offline)).folder, folder);
  }
});

test('the list names the CLIP models of the cache', async (context) => {
  const bert: FakeModel = {
    ...tiny,
    id: 'acme/bert',
    files: { ...tiny.files, 'config.json': '{"model_type": "bert"}' },
  };
  const { hub, options, repository } = await setUp(context, [tiny, bert]);
  assert.deepEqual(await listCachedModels(options), []);
  await pullModel(id, options);
  await pullModel(`${id}@v1/rc`, options);
  await pullModel('acme/bert', options);
  hub.requests.length = 0;
  const models = await listCachedModels(options);
  assert.equal(hub.requests.length, 0);
  const [model] = models;
  assert.equal(models.length, 1);
  assert.ok(model);
  const { lastModified, bytes, ...rest } = model;
  const folder = join(repository, 'snapshots', commit);
  assert.deepEqual(
    { ...rest, refs: rest.refs.toSorted() },
    { id, revision: commit, refs: ['main', 'v1/rc'], folder, complete: true },
  );
  assert.ok(bytes > weights.length && bytes < weights.length + 1000);
  assert.ok(Math.abs(lastModified.getTime() - Date.now()) < 60_000);
});

test('a folder is a model as it stands, and cannot be pulled', async (context) => {
  const { home, options } = await setUp(context);
  assert.deepEqual(await resolveModel(home, options), { folder: home, id: undefined, revision: undefined });
  await refused(pullModel(home, options), 'bad-argument', /a folder on this machine/);
});
