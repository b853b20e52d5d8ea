/** How much happens at once: few blocks in a tab, and one tab at a block. */

const lanes = 4;
let busy = 0;
const waiting: (() => void)[] = [];

/** Does the work when fewer than four others are being done. */
export async function inLane<T>(work: () => Promise<T>): Promise<T> {
  if (busy === lanes) await new Promise<void>((resolve) => waiting.push(resolve));
  else busy += 1;
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else busy -= 1;
  }
}

/** Does the work while no other tab does work of this name. */
export async function locked<T>(
  name: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const { locks } = navigator as { readonly locks?: LockManager }; // insecure pages have none, and keep nothing
  if (locks === undefined) return await work();
  return (await locks.request(name, signal ? { signal } : {}, work)) as T;
}
