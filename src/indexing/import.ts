/** Puts ready embeddings into an index: those of `lincir embed`, or features from elsewhere. */

import { hash } from 'node:crypto';
import { posix } from 'node:path';
import { type LoadClipOptions, precisionOf } from '../clip/index.ts';
import { hasForms, LincirError, nameKey, normalizeRows, option, quoted } from '../core/index.ts';
import type { EmbeddingsFile } from '../pictures/index.ts';
import type { StoredImage, StoreInfo, VectorStore } from '../store/index.ts';
import { Growth } from './growth.ts';
import { KnownImages } from './known.ts';
import { newIds } from './new-ids.ts';

export interface ImportSummary {
  readonly added: number;
  readonly changed: number;
  readonly unchanged: number;
}

/** An embedding whose length is this near to 1 was normalised: CLIP's have lengths of about 10. */
const unitTolerance = 1e-3;

/**
 * Adds every row under its name, or replaces the one with that name. A row of length 1 counts as normalised: its image
 * can be found, but phi cannot turn it into a pseudo token. Yields the number of rows done. Some thousand are committed at a
 * time.
 * @throws LincirError what `expectEmbeddings` throws, 'bad-file' for a name that comes twice, what reading throws, and the
 *   signal's reason
 */
export async function* importEmbeddings(
  store: VectorStore,
  file: EmbeddingsFile,
  signal?: AbortSignal,
  precision?: 'int8',
): AsyncGenerator<number, ImportSummary, void> {
  expectEmbeddings(store.info, file, precision);
  const known = await KnownImages.of(store);
  try {
    return yield* importRows(store, file, known, signal);
  } finally {
    known.close();
  }
}

async function* importRows(
  store: VectorStore,
  file: EmbeddingsFile,
  known: KnownImages,
  signal: AbortSignal | undefined,
): AsyncGenerator<number, ImportSummary, void> {
  const { path: subject, dimensions, size, modified, statusChanged } = file;
  const facts = { size, modified, statusChanged };
  const counts = { added: 0, changed: 0, unchanged: 0 };
  let done = 0;
  const growth = await Growth.of(store);
  for await (const { names: given, embeddings } of file.rows()) {
    signal?.throwIfAborted();
    const names = await knownNames(store, known, given);
    const states = names.map((path) => {
      const state = known.see({ path, ...facts });
      if (known.claim(path)) return state;
      throw new LincirError('bad-file', {
        subject,
        expected: 'every name once',
        found: `${quoted(path)} twice`,
        todo: 'leave one of them out',
      });
    });
    await known.tidy();
    const changed = names.filter((_, at) => states[at] === 'changed');
    const ids = new Map((await store.lookUp('path', changed)).map(({ path, id }) => [path, id]));
    const fresh = await newIds(
      [store],
      names.filter((path, at) => states[at] !== 'same' && !ids.has(path)),
    );
    const rows = names.flatMap((path, at): StoredImage[] => {
      if (states[at] === 'same') return [];
      const vector = embeddings.data.slice(at * dimensions, (at + 1) * dimensions);
      const length = Math.hypot(...vector);
      const norm = Math.abs(length - 1) < unitTolerance ? null : length;
      const content = hash('sha256', new Uint8Array(vector.buffer));
      normalizeRows(vector, dimensions);
      const place = { path, folder: posix.dirname(path), ...facts };
      return [{ id: ids.get(path) ?? fresh.get(path)!, ...place, hash: content, norm, vector }];
    });
    const isKnown = ({ path }: StoredImage) => ids.has(path);
    const replaced = rows.filter(isKnown);
    await store.add(rows.filter((row) => !isKnown(row)));
    await store.replace(replaced);
    await growth.add(rows.length - replaced.length);
    counts.added += rows.length - replaced.length;
    counts.changed += replaced.length;
    counts.unchanged += names.length - rows.length;
    done += names.length;
    yield done;
  }
  await store.maintain();
  return counts;
}

/**
 * Refuses embeddings that must not join those of an index. A file that does not say what made it is taken on trust as
 * float32, or as int8 if `precision` says so.
 * @throws LincirError 'bad-argument' for those of another model, other dimensions, or another precision
 */
export function expectEmbeddings(
  info: Pick<StoreInfo, 'fingerprint' | 'dimensions'>,
  { path: subject, dimensions, fingerprint }: EmbeddingsFile,
  precision?: 'int8',
): void {
  if (dimensions !== info.dimensions || (fingerprint ?? info.fingerprint) !== info.fingerprint) {
    const described = (print: string | undefined, width: number) =>
      `${width} dimensions${print === undefined ? '' : ` of the model with fingerprint ${print}`}`;
    throw new LincirError('bad-argument', {
      subject,
      expected: `embeddings as the index has them, ${described(info.fingerprint, info.dimensions)}`,
      found: described(fingerprint, dimensions),
      todo: 'make another index for them',
    });
  }
  if (fingerprint !== undefined || precisionOf(info.fingerprint) === precision) return;
  throw new LincirError('bad-argument', {
    subject,
    expected: 'int8 embeddings, as the index holds them',
    found: 'a file that does not say what made its embeddings, which counts as float32',
    todo: `if int8 made them, say so with ${option<LoadClipOptions>('precision', 'int8')}; else make another index for them`,
  });
}

/** Replaces names by the index's own, where the index only has another Unicode form. */
async function knownNames(
  store: VectorStore,
  known: KnownImages,
  given: readonly string[],
): Promise<readonly string[]> {
  const unknown = given.filter((name) => hasForms(name) && !known.isKnown(name));
  const present = new Map((await store.lookUp('path', unknown)).map(({ path }) => [nameKey(path), path]));
  // Names that only differ in their form stay apart.
  const taken = new Set(given);
  return given.map((name) => {
    const other = known.isKnown(name) ? undefined : present.get(nameKey(name));
    if (other === undefined || taken.has(other)) return name;
    taken.add(other);
    return other;
  });
}
