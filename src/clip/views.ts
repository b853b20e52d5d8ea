/** Views of stored tensors under other names and shapes: nothing is read or copied. */

import { LincirError, quoted, type StoredTensor } from '../core/index.ts';

/** A tensor under another name. The file's own name stays in messages. */
export function renamed(stored: StoredTensor, name: string): [string, StoredTensor] {
  return [name, stored];
}

/** Equal parts along the first axis, such as the queries', keys' and values' of a fused weight. Throws 'bad-file' if it has no such parts. */
export function rowParts(stored: StoredTensor, count: number): StoredTensor[] {
  const [rows = 0] = stored.shape;
  if (rows % count !== 0) throw refused(stored, `${count} equal parts along its first axis`);
  const each = rows / count;
  return Array.from({ length: count }, (_, at) => rowRange(stored, at * each, (at + 1) * each));
}

/** The rows from `begin` to before `end`. Throws 'bad-file' if it has fewer. */
export function rowRange(stored: StoredTensor, begin: number, end: number): StoredTensor {
  const [rows = 0, ...rest] = stored.shape;
  if (stored.strides || rows < end) throw refused(stored, `at least ${end} rows, one behind the other`);
  const rowLength = stored.byteLength / rows;
  return {
    ...stored,
    shape: [end - begin, ...rest],
    offset: stored.offset + begin * rowLength,
    byteLength: (end - begin) * rowLength,
  };
}

function refused({ source, name, shape, strides }: StoredTensor, expected: string): LincirError {
  return new LincirError('bad-file', {
    subject: `${source.name}: tensor ${quoted(name)}`,
    expected,
    found: `shape [${shape.join(', ')}]${strides ? ' with strides' : ''}`,
  });
}

/** A stored matrix seen with its axes exchanged. */
export function transposedView(stored: StoredTensor): StoredTensor {
  const [rows = 1, columns = 1] = stored.shape;
  const [down, across] = stored.strides ?? [columns, 1];
  return { ...stored, shape: [columns, rows], strides: [across!, down!] };
}
