/** What a device is to a training, in another process or on another machine: it takes batches as bytes, and gives results as bytes. */

import { z } from 'zod';
import { checkedValue, type ErrorCode, LincirError, type Problem, parseJson } from '../../core/index.ts';
import { devices, precisions } from '../../onnx/index.ts';
import { protocol } from './messages.ts';

/** What decides the results of a device, and what it takes at once. */
const factsSchema = z.object({
  protocol: z.int(),
  /** Of the model. */
  fingerprint: z.string(),
  device: z.enum(devices),
  precision: z.enum(precisions),
  /** Processes that compute. */
  processes: z.int().min(1).max(1024),
  /** Token positions of one batch. */
  positions: z.int().min(1),
});
export type DeviceFacts = Readonly<z.output<typeof factsSchema>>;

/** What a training expects. */
export type WantedFacts = Pick<DeviceFacts, 'fingerprint' | 'device' | 'precision' | 'positions'>;

export interface TowerDevice {
  readonly facts: DeviceFacts;
  /** Resolves when it is lost, with the reason, for a device that says so even while it has no work. */
  readonly lost?: Promise<Error>;
  /**
   * @param mostBytes of the answer; more is refused before memory is taken
   * @throws Error if the device is lost, or cannot do it
   */
  compute(task: Uint8Array<ArrayBuffer>, mostBytes: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Ends it at once. What it computes fails. */
  close(): Promise<void>;
}

/** What arrives of a LincirError. */
export type ErrorParts = { readonly code: ErrorCode; readonly problem: Problem };

/** @throws LincirError if the device would not compute what the training expects */
export function expectFacts(name: string, found: DeviceFacts, wanted: WantedFacts): void {
  const refuse = (what: string, expected: string, given: string, todo: string) =>
    new LincirError('bad-config', { subject: `device ${name}: ${what}`, expected, found: given, todo });
  if (found.protocol !== protocol) {
    throw refuse(
      'protocol',
      `${protocol}`,
      `${found.protocol}`,
      'use the same version of lincir on both machines',
    );
  }
  if (found.fingerprint !== wanted.fingerprint) {
    const todo = 'let that machine lend its devices with the same model';
    throw refuse('model', `fingerprint ${wanted.fingerprint}`, found.fingerprint, todo);
  }
  for (const key of ['device', 'precision'] as const) {
    if (found[key] === wanted[key]) continue;
    throw refuse(
      key,
      `${wanted[key]}, as elsewhere`,
      found[key],
      'use one kind for all: last bits differ between kinds',
    );
  }
  if (found.positions < wanted.positions) {
    const todo = 'give that machine the same number';
    throw refuse('positions of a batch', `at least ${wanted.positions}`, `${found.positions}`, todo);
  }
}

/**
 * What a machine says of itself, as JSON.
 * @throws LincirError 'bad-file'
 */
export function factsIn(json: Uint8Array, name: string): DeviceFacts {
  return checkedValue(factsSchema, parseJson(json, `device ${name}`), `device ${name}`);
}

const problemSchema = z.object({ detail: z.string() });

/** The sentence of a problem document (RFC 9457), or whatever text it is instead. */
export function detailIn(answer: Uint8Array): string {
  try {
    return checkedValue(problemSchema, parseJson(answer, 'problem'), 'problem').detail;
  } catch {
    return new TextDecoder().decode(answer);
  }
}
