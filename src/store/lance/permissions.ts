/** Sets permissions of an index's files: LanceDB gives most of them to their owner alone, whatever the umask says. */

import { chmod, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const forOwner = 0o600;
const forAll = 0o666;
/** The only file that is replaced under the same name. */
const rewritten = 'latest_version_hint.json';

/** The files of an index that this process has handled. */
export class SharedFiles {
  readonly #folder: string;
  readonly #seen = new Set<string>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Gives new files the permissions of the umask. Other users' files stay unchanged. */
  async share(): Promise<void> {
    const entries = await readdir(this.#folder, { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name);
      if (!entry.isFile() || this.#seen.has(path)) continue;
      if (entry.name !== rewritten) this.#seen.add(path);
      const found = await stat(path).catch(() => undefined); // It may be gone already.
      if (found === undefined || (found.mode & 0o777) !== forOwner) continue;
      await chmod(path, forAll & ~process.umask()).catch(() => {});
    }
  }
}
