/** The folder of a long embedding job. It keeps what is done, so the same command continues after any interruption. */

import { createHash } from 'node:crypto';
import { appendFile, type FileHandle, open, readFile, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { checkedValue, LincirError, parseJsonText, quoted } from '../../core/index.ts';
import {
  asLincirError,
  batched,
  fileLines,
  type Lock,
  makeFolder,
  readingFile,
  readJsonFile,
  statOf,
  takeLock,
  writeFileAtomically,
  writeJsonFile,
} from '../../files/index.ts';

/** What identifies a job. A run only continues work of the same job. */
const jobSchema = z.object({
  kind: z.enum(['images', 'texts']),
  /** The model as the user named it. Two names of one model are the same job. */
  model: z.string(),
  fingerprint: z.string(),
  normalized: z.boolean(),
  targetPad: z.number().nullable(),
  dimensions: z.int().positive(),
});
const storedJobSchema = jobSchema.extend({
  count: z.int().nonnegative(),
  /** SHA-256 of the file of names. */
  names: z.string(),
});
/** An image that has no embedding because it cannot be read, and its place among the job's names. */
const skippedSchema = z.object({ index: z.int().nonnegative(), name: z.string(), reason: z.string() });

/** Advice about unfinished work that somebody changed. */
const anew = 'delete the folder, or choose another --out';

export type Job = z.output<typeof jobSchema>;
type StoredJob = z.output<typeof storedJobSchema>;
export type Skipped = Readonly<z.output<typeof skippedSchema>>;

const files = {
  job: 'job.json',
  names: 'names.jsonl',
  rows: 'rows.f32',
  skipped: 'skipped.jsonl',
  lock: '.lock',
} as const;
const bytesPerRead = 2 ** 20;

/**
 * The rows of a job, row i for name i, in a file to which batches are added. Only the length of this file says how far
 * the job is. Owns a lock and open files: close it.
 */
export class PartialWork {
  readonly folder: string;
  /** How many names the job has. */
  readonly count: number;
  readonly dimensions: number;
  /** Skipped names, by index. They have no row in the output; here their rows are zeros. */
  readonly skipped: Map<number, Skipped>;
  readonly #lock: Lock;
  readonly #rows: FileHandle;
  #done: number;

  private constructor(
    folder: string,
    job: StoredJob,
    parts: {
      readonly lock: Lock;
      readonly rows: FileHandle;
      readonly done: number;
      readonly skipped: readonly Skipped[];
    },
  ) {
    this.folder = folder;
    this.count = job.count;
    this.dimensions = job.dimensions;
    this.skipped = new Map(parts.skipped.map((entry) => [entry.index, entry]));
    this.#lock = parts.lock;
    this.#rows = parts.rows;
    this.#done = parts.done;
  }

  /**
   * Begins the job in `folder`, or continues it.
   * @throws LincirError 'bad-argument' when another job's work is there, 'io', also when another process works on it, and whatever `names` throws.
   */
  static async open(
    folder: string,
    job: Job,
    names: Iterable<string> | AsyncIterable<string>,
  ): Promise<PartialWork> {
    const [jobFile, rowsFile] = [join(folder, files.job), join(folder, files.rows)];
    let lock: Lock | undefined;
    try {
      await makeFolder(folder);
      lock = await takeLock(join(folder, files.lock));
      const previous = await readStoredJob(jobFile);
      const stored = await storeNames(folder, names, job, previous);
      if (previous === undefined) {
        await rm(rowsFile, { force: true });
        await rm(join(folder, files.skipped), { force: true });
        await writeJsonFile(jobFile, stored);
      }
      // Opening in append mode first makes the file. Then rows are written by position, to overwrite a torn row.
      await (await open(rowsFile, 'a')).close();
      const rows = await open(rowsFile, 'r+');
      const done = Math.floor((await rows.stat()).size / (4 * job.dimensions));
      if (done > stored.count) {
        await rows.close();
        throw new LincirError('bad-file', {
          subject: rowsFile,
          expected: `at most ${stored.count} rows`,
          found: `${done}`,
          todo: anew,
        });
      }
      const skipped = await readSkipped(join(folder, files.skipped), done);
      return new PartialWork(folder, stored, { lock, rows, done, skipped });
    } catch (error) {
      await lock?.release();
      await rmdir(folder).catch(() => {}); // An empty one means that nothing was begun.
      throw asLincirError(error, folder, 'write');
    }
  }

  /** How many names have their row. */
  get done(): number {
    return this.#done;
  }

  /** Adds the next rows, [batch, dimensions]. They are on the disk when the promise resolves. */
  async append(data: Float32Array): Promise<void> {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const begin = this.#done * 4 * this.dimensions;
    try {
      for (let at = 0; at < bytes.length; ) {
        at += (await this.#rows.write(bytes, at, bytes.length - at, begin + at)).bytesWritten;
      }
      await this.#rows.datasync();
    } catch (error) {
      throw asLincirError(error, this.folder, 'write');
    }
    this.#done += data.length / this.dimensions;
  }

  /** Notes that the next name, or a later one, has no embedding. Call this before its row is added. */
  async skip(entry: Skipped): Promise<void> {
    this.skipped.set(entry.index, entry);
    await appendFile(join(this.folder, files.skipped), `${JSON.stringify(entry)}\n`).catch(
      (error: unknown) => {
        throw asLincirError(error, this.folder, 'write');
      },
    );
  }

  /** All names of the job from a place on. */
  async *namesFrom(first: number): AsyncGenerator<string, void, void> {
    const file = join(this.folder, files.names);
    let index = 0;
    for await (const line of fileLines(file)) {
      const place = `${file}: line ${index + 1}`;
      if (index >= first) yield checkedValue(z.string(), parseJsonText(line, place), place, anew);
      index += 1;
    }
  }

  /** The names that have an embedding, in order. */
  async *names(): AsyncGenerator<string, void, void> {
    let index = 0;
    for await (const name of this.namesFrom(0)) {
      if (!this.skipped.has(index)) yield name;
      index += 1;
    }
  }

  /** The embeddings of `names()`, some rows at a time: [some, dimensions]. */
  async *rows(): AsyncGenerator<Float32Array, void, void> {
    const { dimensions } = this;
    const rowsPerRead = Math.max(1, Math.floor(bytesPerRead / (4 * dimensions)));
    for (let first = 0; first < this.#done; first += rowsPerRead) {
      const count = Math.min(rowsPerRead, this.#done - first);
      const [begin, length] = [first, count].map((rows) => rows * 4 * dimensions) as [number, number];
      const bytes = await readingFile(join(this.folder, files.rows), (file) => file.read(begin, length));
      const data = new Float32Array(bytes.buffer);
      let kept = 0;
      for (let row = 0; row < count; row += 1) {
        if (this.skipped.has(first + row)) continue;
        data.copyWithin(kept * dimensions, row * dimensions, (row + 1) * dimensions);
        kept += 1;
      }
      yield data.subarray(0, kept * dimensions);
    }
  }

  async close(): Promise<void> {
    await this.#rows.close();
    await this.#lock.release();
  }

  /** Removes the folder once the output is complete. Whatever somebody else put there stays. */
  async remove(): Promise<void> {
    await this.#rows.close();
    const { lock, ...own } = files;
    for (const name of Object.values(own)) await rm(join(this.folder, name), { force: true });
    await this.#lock.release();
    await rmdir(this.folder).catch(() => {});
  }
}

async function readStoredJob(path: string): Promise<StoredJob | undefined> {
  if ((await statOf(path)) === undefined) return undefined;
  return checkedValue(storedJobSchema, await readJsonFile(path), path, anew);
}

/** Writes the names, a JSON string a line. The names of a previous, different job are dropped. */
async function storeNames(
  folder: string,
  names: Iterable<string> | AsyncIterable<string>,
  job: Job,
  previous: StoredJob | undefined,
): Promise<StoredJob> {
  const hash = createHash('sha256');
  let count = 0;
  const lines = async function* (): AsyncGenerator<string, void, void> {
    for await (const name of names) {
      const line = `${JSON.stringify(name)}\n`;
      hash.update(line);
      count += 1;
      yield line;
    }
  };
  let stored: StoredJob | undefined;
  await writeFileAtomically(join(folder, files.names), async (file) => {
    await file.writeFile(batched(lines()));
    stored = { ...job, count, names: hash.digest('hex') };
    if (previous !== undefined) expectSameJob(folder, stored, previous);
  });
  return stored!;
}

function expectSameJob(folder: string, job: StoredJob, previous: StoredJob): void {
  const differences = (['kind', 'fingerprint', 'normalized', 'targetPad'] as const)
    .filter((field) => job[field] !== previous[field])
    .map((field) => `${field} ${previous[field]}, not ${job[field]}`);
  if (job.names !== previous.names)
    differences.push(`other ${previous.kind} (${previous.count}, not ${job.count})`);
  if (differences.length === 0) return;
  throw new LincirError('bad-argument', {
    subject: folder,
    expected: 'unfinished work of this command',
    found: quoted(`that of another command: ${differences.join('; ')}`, 300),
    todo: 'finish it with its own command, delete the folder, or choose another --out',
  });
}

/** What was skipped among the first `done` names. Later entries are forgotten: those images will be tried again. */
async function readSkipped(path: string, done: number): Promise<Skipped[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  // What follows the last line end is an unfinished line.
  const lines = text.split('\n').slice(0, -1);
  const skipped = lines
    .map((line, at) => {
      const place = `${path}: line ${at + 1}`;
      return checkedValue(skippedSchema, parseJsonText(line, place), place, anew);
    })
    .filter(({ index }) => index < done);
  const kept = skipped.map((entry) => `${JSON.stringify(entry)}\n`).join('');
  if (kept !== text) await writeFileAtomically(path, (file) => file.writeFile(kept));
  return skipped;
}
