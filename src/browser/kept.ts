/** What a browser keeps between visits of what took long to compute: nothing yet. `#kept` names this file there. */

import type { RandomAccess } from '../core/index.ts';

export async function kept(_name: string): Promise<RandomAccess | undefined> {
  return undefined;
}

export async function keep(_name: string, _bytes: Uint8Array): Promise<void> {}

export function warn(message: string): void {
  console.warn(`lincir: ${message}`);
}
