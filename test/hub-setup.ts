/** What the tests of the hub begin with: a fake hub with a tiny model, an empty cache, and little patience. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type ErrorCode, LincirError } from '../src/core/index.ts';
import type { ResolveOptions } from '../src/hub/index.ts';
import { etagOf, FakeHub, type FakeModel } from './fake-hub.ts';

export const id = 'acme/tiny-clip';
export const commit = 'a'.repeat(40);
export const weights = Buffer.from(Array.from({ length: 50_000 }, (_, index) => (index * index) % 251));
export const weightsTag = etagOf(weights, true);
export const smallFiles = {
  'config.json': '{"model_type": "clip"}',
  'preprocessor_config.json': '{}',
  'tokenizer.json': '{"model": {}}',
  'tokenizer_config.json': '{}',
  'README.md': 'not needed',
};
/** CLIP by its file names only. */
export const tiny: FakeModel = {
  id,
  commit,
  files: { ...smallFiles, 'model.safetensors': weights, 'pytorch_model.bin': 'not needed either' },
  large: ['model.safetensors'],
};

/** A hub with models, an empty cache, and options that point to both and give up quickly. */
export async function setUp(context: TestContext, models = [tiny], variables: Record<string, string> = {}) {
  const hub = await FakeHub.start(...models);
  const home = await mkdtemp(join(tmpdir(), 'lincir-hub-'));
  context.after(async () => {
    await hub[Symbol.asyncDispose]();
    await rm(home, { recursive: true });
  });
  const environment = { HF_HOME: home, HF_ENDPOINT: hub.endpoint, ...variables };
  const repository = join(home, 'hub', 'models--acme--tiny-clip');
  const options: ResolveOptions = { environment, patience: { attempts: 3, backoff: 1, silence: 5000 } };
  return {
    hub,
    home,
    repository,
    options,
    offline: { ...options, environment: { ...environment, HF_HUB_OFFLINE: '1' } },
  };
}

/** Asserts that `work` fails with this code and a message that matches every part. */
export async function refused(work: Promise<unknown>, code: ErrorCode, ...parts: RegExp[]): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof LincirError, String(error));
    assert.equal(error.code, code, error.message);
    for (const part of parts) assert.match(error.message, part);
    return true;
  });
}
