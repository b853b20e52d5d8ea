/** Makes each caption's embedding once, wherever the known ones are kept. */

/** Computes the embeddings of these rows of a batch: [rows, size]. */
export type MakeEmbeddings = (rows: readonly number[]) => Promise<Float32Array>;

/** Keeps embeddings by their captions' numbers. */
export interface EmbeddingStore {
  /** Writes an embedding into `into`, and returns whether there is one. */
  read(number: number, into: Float32Array): boolean;
  write(number: number, embedding: Float32Array): void;
}

/** The embeddings of captions, by their numbers: [captions, size]. Missing ones are computed, once for each caption. */
export async function knownOrMade(
  store: EmbeddingStore,
  size: number,
  numbers: readonly number[],
  make: MakeEmbeddings,
): Promise<Float32Array> {
  const all = new Float32Array(numbers.length * size);
  const rowOf = new Map<number, number>();
  const missing: number[] = [];
  for (const [row, number] of numbers.entries()) {
    if (rowOf.has(number)) continue;
    rowOf.set(number, row);
    if (!store.read(number, all.subarray(row * size, (row + 1) * size))) missing.push(row);
  }
  const made = missing.length > 0 ? await make(missing) : all;
  for (const [at, row] of missing.entries()) {
    const embedding = made.subarray(at * size, (at + 1) * size);
    all.set(embedding, row * size);
    store.write(numbers[row]!, embedding);
  }
  for (const [row, number] of numbers.entries()) {
    const first = rowOf.get(number)!;
    if (first !== row) all.copyWithin(row * size, first * size, (first + 1) * size);
  }
  return all;
}

/** Keeps embeddings in memory. */
export function memoryStore(size: number): EmbeddingStore {
  const known = new Map<number, Float32Array>();
  return {
    read(number, into) {
      const found = known.get(number);
      if (found) into.set(found);
      return found !== undefined;
    },
    write: (number, embedding) => known.set(number, embedding.slice(0, size)),
  };
}
