/** The number formats that each device computes in, and what they make of a graph. */

import { runtime } from '#runtime';
import { LincirError, option } from '../core/index.ts';
import { type Device, devices, type FloatPrecision, type Precision, precisions } from './choices.ts';
import { withHalfProducts } from './half.ts';
import { withoutGemm } from './matmul.ts';
import type { SessionOptions } from './runtime.ts';
import type { Value } from './values.ts';

/** The precisions that a device offers on this machine. */
export function devicePrecisions(device: Device): readonly Precision[] {
  const hasBfloat16 = ['linux-arm64', 'darwin-arm64'].includes(runtime.platform);
  return {
    cpu: ['float32', ...(hasBfloat16 ? ['bfloat16' as const] : []), 'int8'] as const,
    webgpu: ['float32', 'float16'] as const,
    cuda: ['float32', 'tf32', 'bfloat16', 'float16'] as const,
  }[device];
}

/**
 * @param usable what the caller can do at all
 * @throws LincirError 'bad-argument' for a precision that the device does not offer
 */
export function expectPrecision(
  precision: Precision = 'float32',
  device: Device = 'cpu',
  usable: readonly Precision[] = precisions,
): void {
  const offered = devicePrecisions(device).filter((one) => usable.includes(one));
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

/** The graph as a device computes it in this precision. */
export function inPrecision(
  outputs: Readonly<Record<string, Value>>,
  precision: FloatPrecision,
  device: Device,
): Readonly<Record<string, Value>> {
  switch (precision) {
    case 'float32':
    case 'tf32':
      return outputs;
    case 'bfloat16':
      return device === 'cpu' ? withoutGemm(outputs) : withHalfProducts(outputs, precision);
    case 'float16':
      return withHalfProducts(outputs, precision);
  }
}
