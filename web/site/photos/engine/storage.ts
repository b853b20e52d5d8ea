/** Where the index lies: the browser's private file system, or memory; and that only one tab has it. */

import { type BytesFolder, memoryFolder } from '../index/bytes-file.ts';
import { privateFolder } from '../index/private-files.ts';

const name = 'lincir-photos';

export interface PhotoStorage {
  readonly folder: BytesFolder;
  /** Why nothing is kept beyond this visit. */
  readonly isNotKept?: string;
}

export async function openStorage(): Promise<PhotoStorage> {
  try {
    const root = await navigator.storage.getDirectory();
    const handle = await root.getDirectoryHandle(name, { create: true });
    const folder = privateFolder(handle);
    (await folder.open('trial')).close(); // Private windows of some browsers refuse only now.
    await folder.remove('trial');
    return { folder };
  } catch {
    return {
      folder: memoryFolder(),
      isNotKept:
        'This browser, or this private window, lets the page keep no files. Your index is there until you close the page.',
    };
  }
}

/** Waits until no other tab has the index. `onWait` is called if one has it now. */
export async function ownStorage(onWait: () => void): Promise<void> {
  const { locks } = navigator as { locks?: LockManager };
  if (locks === undefined) return;
  const own = (options: LockOptions) =>
    new Promise<boolean>((resolve, reject) => {
      locks
        .request(name, options, (lock) => {
          resolve(lock !== null);
          return lock && new Promise(() => {}); // until the tab is closed
        })
        .catch(reject);
    });
  if (await own({ ifAvailable: true })) return;
  onWait();
  await own({});
}
