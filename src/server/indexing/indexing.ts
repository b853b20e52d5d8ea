/** Brings served indexes up to date when a client asks for it: one at a time, each in a process of its own. */

import type { IndexingAnswer, IndexingJob, IndexingRequest } from '../../api/index.ts';
import { LincirError, quoted } from '../../core/index.ts';
import { type IndexingWork, indexInProcess, type UpdateEvent } from '../../indexing/index.ts';
import { type KnownFolder, knownFolders } from './folders.ts';

/** An index that clients may bring up to date. */
export interface IndexToUpdate {
  readonly name: string;
  readonly uri: string;
  /** Folders that are offered for it, besides those that its images lie in. */
  readonly folders: readonly string[];
}

export interface IndexingOptions extends Pick<IndexingWork, 'model' | 'device' | 'threads'> {
  /** The first is the default. */
  readonly indexes: readonly IndexToUpdate[];
}

type Job = { -readonly [Key in keyof IndexingJob]: IndexingJob[Key] };

/** Milliseconds for which an index is not asked again which folders it has. */
const foldersLast = 10_000;

/** Owns the process that indexes: close it. */
export class Indexing {
  readonly #options: IndexingOptions;
  readonly #folders = new Map<string, { readonly read: number; readonly folders: Promise<KnownFolder[]> }>();
  #running: { readonly job: Job; readonly stop: AbortController; readonly ended: Promise<void> } | undefined;
  #last: Job | undefined;
  #isClosed = false;

  constructor(options: IndexingOptions) {
    this.#options = options;
  }

  /** What can be indexed, what is being indexed, and how the last time went. */
  async state(): Promise<IndexingAnswer> {
    const indexes = await Promise.all(
      this.#options.indexes.map(async (index) => ({
        name: index.name,
        folders: await this.#foldersOf(index),
      })),
    );
    return {
      indexes,
      ...(this.#running && { running: { ...this.#running.job } }),
      ...(this.#last && { last: { ...this.#last } }),
    };
  }

  /**
   * Starts; the work goes on after this returns.
   * @returns whether it was free to start
   * @throws LincirError 'not-found' for an index or a folder that it does not know, 'bad-argument' if there is no folder
   */
  async start({ index: name, folders: ids }: IndexingRequest): Promise<boolean> {
    const { indexes } = this.#options;
    const target = name === undefined ? indexes[0] : indexes.find((one) => one.name === name);
    if (target === undefined) {
      throw new LincirError('not-found', {
        subject: `index ${quoted(name)}`,
        expected: `one of ${indexes.map((one) => one.name).join(', ') || 'none'}`,
        found: 'no index of that name',
      });
    }
    const known = await this.#foldersOf(target);
    const chosen = ids ? ids.map((id) => folderOf(id, known)) : known.filter(({ isThere }) => isThere);
    if (chosen.length === 0) {
      throw new LincirError('bad-argument', {
        subject: `the folders of index ${target.name}`,
        expected: 'one that is there',
        found: 'none',
        todo: 'name a folder when you start the server, or index one with lincir index first',
      });
    }
    if (this.#running || this.#isClosed) return false;
    const paths = [...new Set(chosen.map(({ path }) => path))];
    const job: Job = {
      ...{ index: target.name, folders: paths, state: 'running', stage: 'starting' },
      ...{ found: 0, done: 0, todo: 0, started: new Date().toISOString() },
    };
    const stop = new AbortController();
    this.#running = { job, stop, ended: this.#run(job, target.uri, paths, stop.signal) };
    return true;
  }

  /** Tells the running work to end. What is done stays in the index. */
  stop(): void {
    if (this.#running === undefined) return;
    this.#running.job.state = 'stopping';
    this.#running.stop.abort();
  }

  /** Ends what runs, in order. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.stop();
    await this.#running?.ended;
  }

  async #run(job: Job, uri: string, paths: readonly string[], signal: AbortSignal): Promise<void> {
    const { model, device, threads } = this.#options;
    const work = { uri, model, device, threads, options: { images: paths } };
    try {
      for await (const event of indexInProcess(work, signal)) if (event.kind !== 'waiting') take(event, job);
      job.state = 'done';
    } catch (error) {
      job.state = signal.aborted ? 'stopped' : 'failed';
      if (!signal.aborted) job.problem = error instanceof Error ? error.message : String(error);
    }
    job.ended = new Date().toISOString();
    this.#last = job;
    this.#running = undefined;
    this.#folders.delete(job.index);
  }

  #foldersOf({ name, uri, folders }: IndexToUpdate): Promise<KnownFolder[]> {
    const known = this.#folders.get(name);
    if (known && performance.now() - known.read < foldersLast) return known.folders;
    const read = { read: performance.now(), folders: knownFolders(uri, folders) };
    this.#folders.set(name, read);
    read.folders.catch(() => this.#folders.delete(name));
    return read.folders;
  }
}

function folderOf(id: string, known: readonly KnownFolder[]): KnownFolder {
  const folder = known.find((one) => one.id === id);
  if (folder) return folder;
  throw new LincirError('not-found', {
    subject: `folder ${quoted(id)}`,
    expected: 'the id of a folder of this index',
    found: 'none with it',
    todo: 'see GET /api/v1/indexing',
  });
}

/** Notes how far the work has come. */
function take(event: UpdateEvent, job: Job): void {
  if (event.kind === 'looking') Object.assign(job, { stage: 'looking', found: event.found });
  else if (event.kind === 'begin')
    Object.assign(job, { stage: 'indexing', found: event.found, todo: event.todo });
  else if (event.kind === 'maintain') job.stage = 'finishing';
  else if (event.kind === 'end') {
    const { added, changed, renamed, removed, kept, unchanged, broken } = event.summary;
    job.changes = { added, changed, renamed, removed, kept, unchanged, broken };
  } else Object.assign(job, { done: event.done, todo: event.todo });
}
