/** How much happens at once: few blocks in a tab, and one tab at a block. */

/** Does work when fewer than four others of its kind are being done. */
type Lane = <T>(work: () => Promise<T>) => Promise<T>;

const lanes = 4;

/** What is here does not wait for what a slow host sends. */
export const fromDisk = lane();
export const fromNetwork = lane();

function lane(): Lane {
  let busy = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (busy === lanes) await new Promise<void>((resolve) => waiting.push(resolve));
    else busy += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else busy -= 1;
    }
  };
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
