/** The files of the miniature world as they travel: bytes of equal weight side by side, which pack better, then gzip. */

/** What is in each file, and how many bytes its numbers have. */
export const packedFiles = {
  /** Scenes, queries, captions, and the model's configuration and tokenizer. */
  'world.bin': 1,
  /** The gallery's embeddings, a byte for each number, as in all files named so. */
  'gallery.bin': 1,
  'text-bytes.bin': 1,
  'phi-bytes.bin': 1,
  'vision-bytes.bin': 1,
  /** The text tower, as the package has it: learning takes it, bit for bit. */
  'text.bin': 4,
  /** ONNX Runtime. */
  'engine.bin': 1,
} as const satisfies Record<string, number>;
export type PackedFile = keyof typeof packedFiles;

/** What the first answer takes. */
export const firstFiles = ['world.bin', 'gallery.bin', 'text-bytes.bin', 'phi-bytes.bin'] as const;

/** All first bytes of numbers, then all second ones, …; what is left over comes last. */
export function apart(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  return moved(bytes, size, (from, to, target) => {
    target[to] = bytes[from]!;
  });
}

/** Undoes `apart`. */
export function together(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  return moved(bytes, size, (whole, split, target) => {
    target[whole] = bytes[split]!;
  });
}

function moved(
  bytes: Uint8Array,
  size: number,
  move: (whole: number, split: number, target: Uint8Array) => void,
): Uint8Array<ArrayBuffer> {
  const target = new Uint8Array(bytes); // a copy: what is left over stays in its place
  if (size === 1) return target;
  const count = Math.floor(bytes.length / size);
  for (let part = 0; part < size; part += 1) {
    for (let at = 0; at < count; at += 1) move(at * size + part, part * count + at, target);
  }
  return target;
}
