/** Views of stored tensors under other names and shapes: nothing is read or copied. */

import { LincirError, quoted, type StoredTensor } from '../core/index.ts';

/** A tensor under another name. The file's own name stays in messages. */
export function renamed(stored: StoredTensor, name: string): [string, StoredTensor] {
  return [name, stored];
}

/** Equal parts along the first axis, such as the queries', keys' and values' of a fused weight. Throws 'bad-file' if it has no such parts. */
export function rowParts(stored: StoredTensor, count: number): StoredTensor[] {
  const [rows = 0, ...rest] = stored.shape;
  if (stored.strides || rows % count !== 0) {
    throw new LincirError('bad-file', {
      subject: `${stored.source.name}: tensor ${quoted(stored.name)}`,
      expected: `${count} equal parts along its first axis`,
      found: `shape [${stored.shape.join(', ')}]${stored.strides ? ' with strides' : ''}`,
    });
  }
  const byteLength = stored.byteLength / count;
  return Array.from({ length: count }, (_, at) => ({
    ...stored,
    shape: [rows / count, ...rest],
    offset: stored.offset + at * byteLength,
    byteLength,
  }));
}

/** A stored matrix seen with its axes exchanged. */
export function transposedView(stored: StoredTensor): StoredTensor {
  const [rows = 1, columns = 1] = stored.shape;
  const [down, across] = stored.strides ?? [columns, 1];
  return { ...stored, shape: [columns, rows], strides: [across!, down!] };
}
