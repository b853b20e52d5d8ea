/** What ONNX Runtime's failures in browsers mean, and what to do about them. */

import { LincirError, option } from '../core/index.ts';
import type { SessionOptions } from '../onnx/index.ts';
import type { BrowserDevice } from './engines.ts';

const onCpu = option<SessionOptions>('device', 'cpu');

/**
 * The error that a user can act on, or the cause itself if that is not known.
 * @param contents what memory was needed for
 */
export function explained(
  cause: unknown,
  device: BrowserDevice,
  contents = 'the model and a batch',
): unknown {
  if (cause instanceof LincirError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  if (isMemory(message)) {
    return new LincirError('device', {
      subject: `device '${device}'`,
      expected: `memory enough for ${contents}`,
      found: `none left (${message}); WebAssembly has 4 GB at most`,
      todo: 'use smaller batches or a smaller model, dispose of models that are not in use, or close other tabs',
      cause,
    });
  }
  if (/wasm failed|failed to (load|fetch)|no available backend|WebAssembly\.\w+\(\)/i.test(message)) {
    return new LincirError('network', {
      subject: "ONNX Runtime's WebAssembly file",
      expected: 'to be fetched and to start',
      found: message.replace(/^no available backend found\. ERR: \[\w+\] /, ''),
      todo: 'check that its server has it and that the connection is there, then load the page again',
      cause,
    });
  }
  return cause;
}

/** The GPU was taken from the page, or refused a step. Whatever was on it is gone. */
export function gpuFailed(found: string, cause?: unknown): LincirError {
  return new LincirError('device', {
    subject: "device 'webgpu'",
    expected: 'a GPU that goes on computing',
    found,
    todo: `start a new worker or load the page again; if it happens again, use smaller batches, or ${onCpu}`,
    cause,
  });
}

export function noAdapter(): LincirError {
  return new LincirError('device', {
    subject: "device 'webgpu'",
    expected: 'a GPU that this browser lets pages use',
    found: 'gpu' in (globalThis.navigator ?? {}) ? 'no adapter' : 'a browser or a page without WebGPU',
    todo: `use a browser that has WebGPU, on a page that came by https or from localhost; otherwise use ${onCpu}`,
  });
}

function isMemory(message: string): boolean {
  // A bare number is an exception of C++ that nobody could read: that of allocations.
  return /bad_alloc|SafeIntOnOverflow|out of memory|\bOOM\b|could not allocate|allocation failed|failed to allocate|^\d+$/i.test(
    message,
  );
}
