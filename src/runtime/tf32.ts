/** TF32 on CUDA: ONNX Runtime turns it on, JavaScript has no option for it, and NVIDIA's libraries ask an environment variable once. */

import { LincirError, option } from '../core/index.ts';
import type { SessionOptions } from '../onnx/index.ts';

let isOn: boolean | undefined;

/**
 * Turns TF32 on or off for all that this process computes on CUDA: the first session decides. In a worker thread this has no
 * effect, because its environment is a copy: the command line sets the variable as it starts.
 * @throws LincirError 'bad-argument' if it is wanted, but off since an earlier session
 */
export function chooseTf32(isWanted: boolean): void {
  isOn ??= isWanted;
  if (!isOn) process.env.NVIDIA_TF32_OVERRIDE = '0';
  if (isOn || !isWanted) return;
  throw new LincirError('bad-argument', {
    subject: option<SessionOptions>('precision', 'tf32'),
    expected: "to be chosen before this process's first session on CUDA",
    found: 'one that computes without it',
    todo: 'use a process of its own',
  });
}
