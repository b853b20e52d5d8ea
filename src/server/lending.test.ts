/** Lending devices over HTTP: who may ask, how much, and what strangers and mistakes get. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LincirError } from '../core/index.ts';
import type { DeviceFacts } from '../training/index.ts';
import { createLendingApp, type LendingSettings, lend } from './lending.ts';
import { defaultSettings } from './settings.ts';

const key = '0123456789abcdef';
const facts: DeviceFacts = {
  ...{ protocol: 1, fingerprint: 'f', device: 'cpu', precision: 'float32', processes: 1, positions: 9 },
};

function setUp(
  compute = async (task: Uint8Array<ArrayBuffer>) => task,
  settings: Partial<LendingSettings> = {},
) {
  const lender = { facts, mostTaskBytes: 100, compute };
  const app = createLendingApp(lender, { ...defaultSettings, keys: [key], ...settings });
  return async (path: string, { body, ...headers }: Record<string, string> & { body?: string } = {}) =>
    await app.request(`/lending/v1${path}`, {
      ...(body !== undefined && { method: 'POST', body }),
      headers: {
        ...{ host: 'localhost:5463', authorization: `Bearer ${key}` },
        ...{ 'content-type': 'application/octet-stream', ...headers },
      },
    });
}

test('says what it lends, and computes', async () => {
  const ask = setUp();
  assert.deepEqual(await (await ask('')).json(), facts);
  const answer = await ask('/tasks', { body: 'bytes' });
  assert.deepEqual([answer.status, await answer.text()], [200, 'bytes']);
});

test('strangers, other names, pages, other types and large bodies are refused before anything is computed', async () => {
  let computed = 0;
  const ask = setUp(async (task) => {
    computed += 1;
    return task;
  });
  const body = 'bytes';
  for (const [status, path, request] of [
    [401, '', { authorization: '' }],
    [401, '/tasks', { body, authorization: 'Bearer fedcba9876543210' }],
    [403, '', { host: 'example.org' }],
    [403, '/tasks', { body, origin: 'https://example.org' }],
    [404, '/../../etc/passwd', {}],
    [404, '/tasks/1', { body }],
    [413, '/tasks', { body: 'x'.repeat(101), 'content-length': '101' }],
    [413, '/tasks', { body: 'x'.repeat(101), 'transfer-encoding': 'chunked' }],
    [415, '/tasks', { body, 'content-type': 'text/plain' }],
  ] as const) {
    assert.equal((await ask(path, request)).status, status, `${path} ${JSON.stringify(request)}`);
  }
  assert.equal(computed, 0);
});

test('what is no task is the fault of who sent it; lost devices are not', async () => {
  for (const [code, status, retry] of [
    ['bad-argument', 400, null],
    ['busy', 503, '60'],
  ] as const) {
    const problem = { subject: 'it', expected: 'this', found: 'that', retryAfter: 60 };
    const ask = setUp(async () => {
      throw new LincirError(code, problem);
    });
    const answer = await ask('/tasks', { body: 'bytes' });
    assert.deepEqual([answer.status, answer.headers.get('retry-after')], [status, retry]);
    assert.equal(((await answer.json()) as { detail: string }).detail, 'it: expected this, found that');
  }
});

test('listens where strangers are with a key alone', async () => {
  const lender = { facts, mostTaskBytes: 100, compute: async (task: Uint8Array<ArrayBuffer>) => task };
  const settings = { ...defaultSettings, host: '0.0.0.0', port: 0, allowedHosts: ['gpu7'] };
  await assert.rejects(lend(lender, settings), { code: 'bad-argument', message: /expected keys/ });
  const server = await lend(lender, { ...settings, host: '127.0.0.1' });
  await server.close(0);
});
