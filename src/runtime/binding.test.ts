/** Which native part of ONNX Runtime an installed package takes. */

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { loadBinding } from './binding.ts';

const platform = `${process.platform}-${process.arch}`;
const name = 'onnxruntime_binding.node';
const own = `node_modules/lincir/dist/onnxruntime/${platform}/${name}`;
const ofPlatform = `node_modules/lincir-onnxruntime-${platform}`;
const ofUser = 'node_modules/onnxruntime-node';
const ofUserFile = `${ofUser}/bin/napi-v6/${process.platform}/${process.arch}/${name}`;

/** A package installed with `files`, none of which is a library that can be loaded: the error names the one that was tried. */
function refusal(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'lincir-binding-'));
  for (const [path, content] of Object.entries({ 'node_modules/lincir/package.json': '{}', ...files })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  const from = pathToFileURL(join(folder, 'node_modules/lincir/dist/lib/main.js')).href;
  try {
    loadBinding('1.30.0', from);
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error && error.code === 'device');
    return error.message.replaceAll('\\', '/');
  } finally {
    rmSync(folder, { recursive: true });
  }
  throw new Error('it was loaded');
}

test('the part that npm packed, that of the platform before it, and one of the user first', () => {
  const all = {
    [own]: '',
    [`${ofPlatform}/package.json`]: '{}',
    [`${ofPlatform}/${name}`]: '',
    [`${ofUser}/package.json`]: '{ "version": "1.30.0" }',
    [ofUserFile]: '',
  };
  assert.match(refusal({ [own]: '' }), new RegExp(`${own}.*glibc`));
  assert.match(
    refusal({ ...all, [`${ofUser}/package.json`]: '{ "version": "1.29.0" }' }),
    new RegExp(ofPlatform),
  );
  assert.match(refusal(all), new RegExp(ofUserFile));
});

test('none for this platform: the message says what to install', () => {
  assert.match(refusal({}), /ONNX Runtime: expected .* found none; .*npm install onnxruntime-node@1\.30\.0/);
});
