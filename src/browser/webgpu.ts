/** The GPU of a browser: whether there is one, and whether it still works. */

import type * as Ort from 'onnxruntime-web/wasm';
import { LincirError, option } from '../core/index.ts';
import type { SessionOptions } from '../onnx/index.ts';
import { gpuFailed, noAdapter } from './failures.ts';

export interface WebgpuAdapter {
  /** Its vendor and kind, as far as the browser tells. */
  readonly name: string;
  /** Whether it computes in float16. */
  readonly hasFloat16: boolean;
  /** Whether the processor plays the GPU. That works, but the device 'cpu' is faster. */
  readonly isSoftware: boolean;
}

export interface GpuWatch {
  /** Throws LincirError 'device' if the GPU was lost or refused a step since. */
  expectWell(cause?: unknown): void;
}

/** The GPU that this browser lets pages use, if there is one. */
export async function webgpuAdapter(): Promise<WebgpuAdapter | undefined> {
  const adapter = await globalThis.navigator?.gpu?.requestAdapter().catch(() => null);
  if (!adapter) return undefined;
  const { vendor, architecture, description, isFallbackAdapter } = adapter.info;
  const name = [vendor, architecture, description].filter(Boolean).join(' ');
  return {
    name: name || 'a GPU without a name',
    hasFloat16: adapter.features.has('shader-f16'),
    isSoftware: isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render/i.test(name),
  };
}

/** Whether the device 'webgpu' can be had. `devices` only says whether the browser knows WebGPU at all. */
export async function webgpuAvailable(): Promise<boolean> {
  return (await webgpuAdapter()) !== undefined;
}

/** Throws LincirError 'device' without a GPU, or without one for this precision. */
export async function expectAdapter(precision: SessionOptions['precision']): Promise<void> {
  const adapter = await webgpuAdapter();
  if (!adapter) throw noAdapter();
  if (precision !== 'float16' || adapter.hasFloat16) return;
  throw new LincirError('device', {
    subject: "device 'webgpu'",
    expected: 'a GPU that computes in float16',
    found: `${adapter.name}, which does not`,
    todo: `this GPU or its driver does not compute in float16: use ${option<SessionOptions>('precision', 'float32')}`,
  });
}

const watches = new WeakMap<GPUDevice, GpuWatch>();

/**
 * Of the GPUDevice that a session just made computes on. All sessions share one, but after the last of them is gone, ONNX
 * Runtime destroys it, and takes another for the next.
 */
export async function watchGpu(ort: typeof Ort): Promise<GpuWatch> {
  const device: GPUDevice = await ort.env.webgpu.device;
  const known = watches.get(device);
  if (known) return known;
  let lost: string | undefined;
  let refused: string | undefined;
  void device.lost.then(({ reason, message }) => {
    lost = `it was lost (${message || reason})`;
  });
  device.addEventListener('uncapturederror', ({ error }) => {
    refused ??= error.message;
  });
  const watch: GpuWatch = {
    expectWell(cause) {
      const found = lost ?? refused;
      refused = undefined; // the next step may be possible
      if (found !== undefined) throw gpuFailed(found, cause);
    },
  };
  watches.set(device, watch);
  return watch;
}
