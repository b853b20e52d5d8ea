/** Which number formats each device computes in. */

import { runtime } from '#runtime';
import { LincirError, option } from '../core/index.ts';
import { type Device, devices, type Precision } from './choices.ts';
import type { SessionOptions } from './runtime.ts';

/** The precisions that a device offers on this machine. */
export function devicePrecisions(device: Device): readonly Precision[] {
  const isArm = runtime.platform.endsWith('arm64');
  return {
    cpu: ['float32', ...(isArm ? ['bfloat16' as const] : []), 'int8'] as const,
    webgpu: ['float32', 'float16'] as const,
    cuda: ['float32', 'tf32', 'float16'] as const,
  }[device];
}

/** @throws LincirError 'bad-argument' for a precision that the device does not offer */
export function expectPrecision(precision: Precision = 'float32', device: Device = 'cpu'): void {
  const offered = devicePrecisions(device);
  if (offered.includes(precision)) return;
  const able = devices.filter((other) => devicePrecisions(other).includes(precision));
  const others = able.map((other) => option<SessionOptions>('device', other)).join(' or ');
  throw new LincirError('bad-argument', {
    subject: option<SessionOptions>('precision', precision),
    expected: `one that device '${device}' offers here (${offered.join(', ')})`,
    found: `'${precision}'`,
    todo: able.length > 0 ? `choose one of these, or ${others}` : 'choose one of these',
  });
}
