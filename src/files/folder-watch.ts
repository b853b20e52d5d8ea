/** Tells of changes in folders. Watches each folder once, and none of its files: a system has few watches. */

import { type FSWatcher, statSync, watch } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { errorCode, LincirError } from '../core/index.ts';
import { asLincirError } from './refusals.ts';

interface Watched {
  readonly identity: string;
  readonly recursive: boolean;
  readonly watcher: FSWatcher;
  /** The names that count; undefined: all of them. */
  names: Set<string> | undefined;
  /** The last round that has seen the folder. */
  round: number;
}

/** Whether the system watches all folders below a folder with it. Linux would need a watch for every file. */
const isDeep = process.platform === 'darwin' || process.platform === 'win32';

/**
 * Watches what it is shown, in rounds: whoever reads folders shows each one before reading it, so that nothing is missed
 * in between. After a round, what it has not shown is no longer watched. Owns watches: close it.
 */
export class FolderWatch {
  readonly #onChange: (path: string, kind: 'rename' | 'change') => void;
  readonly #watched = new Map<string, Watched>();
  #round = 0;
  /** Why some folder is not watched. */
  failure: LincirError | undefined;

  /** @param onChange called with what has changed, or its folder if the system does not tell; `rename`: a name came or went */
  constructor(onChange: (path: string, kind: 'rename' | 'change') => void) {
    this.#onChange = onChange;
  }

  /** Folders that are watched. */
  get size(): number {
    return this.#watched.size;
  }

  has(folder: string): boolean {
    return this.#watched.has(folder);
  }

  beginRound(): void {
    this.#round += 1;
    this.failure = undefined;
  }

  /**
   * Watches a folder.
   * @param identity another one when another folder has taken this place
   * @param isTop whether no folder that was shown contains it
   */
  see(folder: string, identity: string, isTop: boolean): void {
    if (isTop || !isDeep) this.#watch(folder, identity, undefined, isDeep);
  }

  /** Watches a file or folder that was named, whether it is there or not. */
  seeNamed(path: string): void {
    const full = resolve(path);
    const folder = dirname(full);
    const present = this.#watched.get(folder);
    if (present?.round === this.#round) present.names?.add(basename(full));
    else this.#watch(folder, undefined, basename(full), false);
  }

  endRound(): void {
    for (const [folder, { round }] of this.#watched) if (round !== this.#round) this.#drop(folder);
  }

  close(): void {
    for (const folder of [...this.#watched.keys()]) this.#drop(folder);
  }

  #watch(folder: string, known: string | undefined, name: string | undefined, recursive: boolean): void {
    try {
      const identity = known ?? identityOf(folder);
      const present = this.#watched.get(folder);
      if (present?.identity === identity && (present.recursive || !recursive)) {
        if (name === undefined) present.names = undefined;
        else if (present.round !== this.#round) present.names = new Set([name]);
        present.round = this.#round;
        return;
      }
      this.#drop(folder);
      const watcher = watch(folder, { recursive }, (kind, changed) => this.#tell(folder, kind, changed));
      // Windows says so when the folder is removed. The next round misses it.
      watcher.on('error', () => this.#onChange(folder, 'rename'));
      const names = name === undefined ? undefined : new Set([name]);
      this.#watched.set(folder, { identity, recursive, watcher, names, round: this.#round });
    } catch (error) {
      if (!['ENOENT', 'ENOTDIR'].includes(errorCode(error))) this.failure ??= refusal(error, folder);
    }
  }

  #tell(folder: string, kind: 'rename' | 'change', changed: string | null): void {
    const names = this.#watched.get(folder)?.names;
    if (changed === null) this.#onChange(folder, kind);
    else if (names === undefined || names.has(changed)) this.#onChange(join(folder, changed), kind);
  }

  #drop(folder: string): void {
    this.#watched.get(folder)?.watcher.close();
    this.#watched.delete(folder);
  }
}

function identityOf(folder: string): string {
  const { dev, ino } = statSync(folder);
  return `${dev} ${ino}`;
}

function refusal(error: unknown, folder: string): LincirError {
  const limits: Readonly<Record<string, string>> = {
    ENOSPC: 'fs.inotify.max_user_watches',
    EMFILE: 'fs.inotify.max_user_instances',
  };
  const limit = limits[errorCode(error)];
  const told = asLincirError(error, folder, 'read');
  if (limit === undefined && told instanceof LincirError) return told;
  if (limit === undefined) throw error;
  return new LincirError('io', {
    subject: folder,
    expected: 'the system to report changes in it',
    found: `no room for a further watch (${limit})`,
    todo: `raise it, such as with: sudo sysctl ${limit}=524288`,
    cause: error,
  });
}
