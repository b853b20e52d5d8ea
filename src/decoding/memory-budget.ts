/** Limits the memory of all images that are being decoded at once, in all cooperating threads. */

/** Room for one of the largest phone photos (200 megapixels of 3 bytes), or for many smaller ones. */
export const decodingBytes = 600_000_000;

const all = Math.floor(decodingBytes / 1024);

/** A new budget, for threads that share it. It ends with them, whatever they still hold. */
export function newBudget(): SharedArrayBuffer {
  const budget = new SharedArrayBuffer(4);
  new Int32Array(budget)[0] = all;
  return budget;
}

/** Unclaimed kibibytes. */
let left = new Int32Array(newBudget());

/** Joins the budget of the thread that started this one. */
export function joinBudget(budget: SharedArrayBuffer): void {
  left = new Int32Array(budget);
}

/** Does the work once so much memory is free. An image that claims more than the budget gets all of it. */
export async function withMemory<T>(bytes: number, work: () => Promise<T>): Promise<T> {
  const claim = Math.min(Math.ceil(bytes / 1024), all);
  for (;;) {
    const free = Atomics.load(left, 0);
    if (free < claim) await Atomics.waitAsync(left, 0, free).value;
    else if (Atomics.compareExchange(left, 0, free, free - claim) === free) break;
  }
  try {
    return await work();
  } finally {
    Atomics.add(left, 0, claim);
    Atomics.notify(left, 0);
  }
}
