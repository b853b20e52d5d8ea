/** The memory that all images together may take that are being decoded at a moment, in all threads that work together. */

/** Room for one of the largest phone photos (200 megapixels of 3 bytes), or for many smaller ones. */
export const decodingBytes = 600_000_000;

const all = Math.floor(decodingBytes / 1024);

/** A budget of its own, for threads that share it; it ends with them, whatever they still hold of it. */
export function newBudget(): SharedArrayBuffer {
  const budget = new SharedArrayBuffer(4);
  new Int32Array(budget)[0] = all;
  return budget;
}

/** Kibibytes that nobody has claimed. */
let left = new Int32Array(newBudget());

/** Joins the budget that the thread which started this one made. */
export function joinBudget(budget: SharedArrayBuffer): void {
  left = new Int32Array(budget);
}

/** Does the work once so much memory is left; an image that claims more than there is has all of it. */
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
