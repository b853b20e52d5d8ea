/** Refuses a download for which the browser has no room, before its first byte. */

import { formatBytes, LincirError } from '../core/index.ts';

/** Bytes that the browser still offers this page; undefined where it does not tell. */
export async function freeSpace(): Promise<number | undefined> {
  const estimate = await globalThis.navigator?.storage?.estimate?.().catch(() => undefined);
  return estimate?.quota === undefined ? undefined : Math.max(0, estimate.quota - (estimate.usage ?? 0));
}

/** Throws LincirError 'io' if there are fewer bytes free. */
export async function expectRoom(bytes: number, id: string): Promise<void> {
  const free = await freeSpace();
  if (free === undefined || free >= bytes) return;
  throw new LincirError('io', {
    subject: "the browser's storage for this page",
    expected: `${formatBytes(bytes)} for ${id}`,
    found: `${formatBytes(free)} free`,
    todo: 'free space on this machine, remove models that you kept, leave a private window, or choose a smaller model',
  });
}
