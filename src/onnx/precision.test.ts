/** Which precisions devices offer, and how others are refused. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadClip } from '../clip/index.ts';
import type { Device, Precision } from './choices.ts';
import { expectPrecision } from './precision.ts';
import { Session } from './session.ts';
import { constant } from './values.ts';

const refusals: [Precision, Device, RegExp][] = [
  [
    'float16',
    'cpu',
    /^`precision: 'float16'`: expected one that device 'cpu' offers here \(float32, .*int8\), found 'float16'; choose one of these, or `device: 'webgpu'` or `device: 'cuda'`$/,
  ],
  ['tf32', 'webgpu', /'webgpu' offers here \(float32, float16\).* or `device: 'cuda'`$/],
  ['int8', 'cuda', /'cuda' offers here \(float32, tf32, bfloat16, float16\).* or `device: 'cpu'`$/],
];

test('a precision that a device does not offer is refused, and the message says where to find it', () => {
  for (const [precision, device, message] of refusals) {
    assert.throws(() => expectPrecision(precision, device), { code: 'bad-argument', message });
  }
});

test('it lists only what the caller can do at all', () => {
  assert.throws(() => expectPrecision('float16', 'cpu', ['float32', 'float16']), {
    message: /offers here \(float32\), found/,
  });
});

test('on CPUs, bfloat16 is for ARM processors', { skip: process.arch === 'arm64' && 'this is one' }, () => {
  assert.throws(() => expectPrecision('bfloat16', 'cpu'), {
    code: 'bad-argument',
    message: /choose one of these, or `device: 'cuda'`$/,
  });
});

test('sessions and models refuse it before they load anything', async () => {
  const message = /expected one that device 'cpu' offers/;
  await assert.rejects(Session.create({ y: constant(1) }, { precision: 'float16' }), { message });
  const folder = join(import.meta.dirname, '../../test/fixtures/tiny-clip');
  await assert.rejects(loadClip(folder, { precision: 'tf32' }), { message });
});
