/** How many threads learning has here, and why there are no more. */

import { mostThreads } from '../../../src/browser/runtime.ts';
import type { Threads } from './protocol.ts';

export function threadsHere(): Threads {
  const count = mostThreads();
  if (count > 1) return { count };
  return { count, why: globalThis.crossOriginIsolated ? 'one core' : 'not isolated' };
}
