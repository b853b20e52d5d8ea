/** Writes embeddings and their names to files: safetensors, NumPy, or JSON lines. */

import { extname } from 'node:path';
import { LincirError, quoted } from '../../core/index.ts';
import {
  batched,
  writeFileAtomically,
  writeJsonFile,
  writeNpy,
  writeSafetensors,
} from '../../files/index.ts';

/** Any number of embeddings, read as often as a format needs. */
export interface Embeddings {
  readonly count: number;
  readonly dimensions: number;
  /** What they were made with. JSON lines have no place for it. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Row-major, whole rows: [some, dimensions] at a time. */
  readonly rows: () => AsyncIterable<Float32Array>;
  readonly names: () => AsyncIterable<string>;
}

/** Writes the embeddings and returns the files that it wrote, the given one last. */
type EmbeddingsWriter = (path: string, embeddings: Embeddings) => Promise<string[]>;

/** Formats by the ending of the file's name. */
const writers: ReadonlyMap<string, EmbeddingsWriter> = new Map([
  ['.safetensors', writeAsSafetensors],
  ['.npy', writeAsNpy],
  ['.jsonl', writeAsJsonLines],
]);

/** The writer for a file of this name. Throws 'bad-argument' for an ending that no format has. */
export function writerFor(path: string): EmbeddingsWriter {
  const writer = writers.get(extname(path).toLowerCase());
  if (writer !== undefined) return writer;
  throw new LincirError('bad-argument', {
    subject: '--out',
    expected: `a file name ending in ${[...writers.keys()].join(', ')}`,
    found: quoted(path),
  });
}

/**
 * Tensors `embeddings`, F32 [count, dimensions], and `names`, U8: UTF-8, a JSON string and a line end for each name.
 * Readers limit the metadata to a few megabytes, which could not hold a million names.
 */
async function writeAsSafetensors(path: string, embeddings: Embeddings): Promise<string[]> {
  const { count, dimensions, metadata, rows } = embeddings;
  let nameBytes = 0;
  for await (const chunk of nameLines(embeddings)) nameBytes += chunk.length;
  await writeSafetensors(
    path,
    [
      { name: 'embeddings', type: 'float32', shape: [count, dimensions], data: bytesOf(rows()) },
      { name: 'names', type: 'uint8', shape: [nameBytes], data: nameLines(embeddings) },
    ],
    metadata,
  );
  return [path];
}

/**
 * A float32 array [count, dimensions] in `x.npy`. Beside it, names in `x.names.jsonl`, a JSON string a line, and what made
 * them in `x.model.json`, so that an index can refuse another model's.
 */
async function writeAsNpy(path: string, embeddings: Embeddings): Promise<string[]> {
  const { count, dimensions, metadata, rows } = embeddings;
  const stem = path.slice(0, -extname(path).length);
  const [namesPath, modelPath] = [`${stem}.names.jsonl`, `${stem}.model.json`];
  await writeFileAtomically(namesPath, (file) => file.writeFile(nameLines(embeddings)));
  await writeJsonFile(modelPath, metadata);
  await writeNpy(path, [count, dimensions], rows());
  return [namesPath, modelPath, path];
}

/** A line for each name: `{"name": …, "embedding": […]}`. */
async function writeAsJsonLines(path: string, embeddings: Embeddings): Promise<string[]> {
  const lines = async function* (): AsyncGenerator<string, void, void> {
    const names = embeddings.names()[Symbol.asyncIterator]();
    for await (const row of singleRows(embeddings)) {
      // Nine digits restore every float32 exactly.
      const embedding = Array.from(row, (value) => Number(value.toPrecision(9)));
      yield `${JSON.stringify({ name: (await names.next()).value, embedding })}\n`;
    }
  };
  await writeFileAtomically(path, (file) => file.writeFile(batched(lines())));
  return [path];
}

async function* singleRows({ rows, dimensions }: Embeddings): AsyncGenerator<Float32Array, void, void> {
  for await (const chunk of rows()) {
    for (let at = 0; at < chunk.length; at += dimensions) yield chunk.subarray(at, at + dimensions);
  }
}

async function* nameLines({ names }: Embeddings): AsyncGenerator<Uint8Array, void, void> {
  const lines = async function* (): AsyncGenerator<string, void, void> {
    for await (const name of names()) yield `${JSON.stringify(name)}\n`;
  };
  for await (const batch of batched(lines())) yield Buffer.from(batch);
}

async function* bytesOf(chunks: AsyncIterable<Float32Array>): AsyncGenerator<Uint8Array, void, void> {
  for await (const { buffer, byteOffset, byteLength } of chunks) {
    yield new Uint8Array(buffer, byteOffset, byteLength);
  }
}
