/** Several processes and one cache: they share the work, and what a killed one leaves is used. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { resolveModel } from '../src/hub/index.ts';
import { etagOf, FakeHub } from './fake-hub.ts';

const id = 'acme/tiny-clip';
const weights = Buffer.alloc(100_000, 'pseudo words');
const blob = join('hub', 'models--acme--tiny-clip', 'blobs', etagOf(weights, true));

async function setUp(context: TestContext) {
  const files = { 'config.json': '{}', 'preprocessor_config.json': '{}', 'tokenizer.json': '{}' };
  const large = ['model.safetensors'];
  const model = { id, commit: 'a'.repeat(40), files: { ...files, 'model.safetensors': weights }, large };
  const hub = await FakeHub.start(model);
  hub.faults.set('model.safetensors', { trickle: 5 });
  const home = await mkdtemp(join(tmpdir(), 'lincir-hub-'));
  context.after(async () => {
    await hub[Symbol.asyncDispose]();
    await rm(home, { recursive: true });
  });
  return { hub, home, environment: { HF_HOME: home, HF_ENDPOINT: hub.endpoint } };
}

function resolveInChild(environment: Record<string, string>): ChildProcess {
  const hub = pathToFileURL(join(import.meta.dirname, '..', 'src', 'hub', 'index.ts'));
  const script = `const { resolveModel } = await import('${hub}'); await resolveModel('${id}');`;
  const env = { ...process.env, ...environment };
  return spawn(process.execPath, ['--input-type=module', '-e', script], { env, stdio: 'inherit' });
}

test('two processes download a model once', async (context) => {
  const { hub, home, environment } = await setUp(context);
  const children = [resolveInChild(environment), resolveInChild(environment)];
  const exits = await Promise.all(children.map((child) => once(child, 'exit')));
  assert.deepEqual(
    exits.map(([code]) => code),
    [0, 0],
  );
  assert.deepEqual(await readFile(join(home, blob)), weights);
  assert.equal(hub.requestsFor('model.safetensors').filter(({ host }) => host === 'storage').length, 1);
  const names = await readdir(join(home, 'hub'), { recursive: true });
  assert.deepEqual(
    names.filter((name) => /incomplete|tmp|lock$/.test(name)),
    [],
  );
});

test('what a killed process has received is not asked for again', async (context) => {
  const { hub, home, environment } = await setUp(context);
  const child = resolveInChild(environment);
  const partial = join(home, `${blob}.incomplete`);
  const receivedBytes = async () => (await stat(partial).catch(() => undefined))?.size ?? 0;
  while ((await receivedBytes()) < 20_000) await pause(5);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const received = await receivedBytes();
  assert.ok(received < weights.length);

  hub.faults.clear();
  hub.requests.length = 0;
  const { folder } = await resolveModel(id, { environment });
  assert.deepEqual(await readFile(join(folder, 'model.safetensors')), weights);
  assert.equal(hub.requestsFor('model.safetensors')[0]?.range, `bytes=${received}-`);
});
