/** Where the index lies: the browser's private file system, or memory; and that only one tab has it. */

import { type BytesFolder, memoryFolder } from '../index/bytes-file.ts';
import { privateFolder } from '../index/private-files.ts';
import { isFull } from './calls.ts';

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
    // Private windows of some browsers refuse only now. A full disk is no reason to do without what is kept.
    await trial(folder).catch((error: unknown) => {
      if (!isFull(error)) throw error;
    });
    return { folder };
  } catch {
    return {
      folder: memoryFolder(),
      isNotKept:
        'This browser, or this private window, lets the page keep no files. Your index is there until you close the page.',
    };
  }
}

async function trial(folder: BytesFolder): Promise<void> {
  (await folder.open('trial')).close();
  await folder.remove('trial');
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
