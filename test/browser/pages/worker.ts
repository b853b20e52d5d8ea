/** The worker of the engine's tests: computes what the page asks for, one after the other. */

import { LincirError } from '../../../src/core/index.ts';
import { checks } from './checks.ts';

self.onmessage = async ({ data: { name, given } }: MessageEvent<{ name: string; given: unknown[] }>) => {
  try {
    const check = Object.entries(checks).find(([known]) => known === name)![1];
    self.postMessage({ value: await (check as (...given: unknown[]) => unknown)(...given) });
  } catch (error) {
    self.postMessage({ error: error instanceof LincirError ? `${error.code} ${error.message}` : `${error}` });
  }
};
