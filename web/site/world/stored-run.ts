/** Keeps what is learnt in the browser, whole or not at all: one record of IndexedDB. */

import { LincirError } from '../../../src/core/index.ts';
import type { LearntState } from './learner.ts';

const [database, store] = ['lincir-world', 'runs'] as const;

/** @param recipe names what is learnt: a run of another recipe is not found */
export async function readRun(recipe: string): Promise<LearntState | undefined> {
  return (await transaction('readonly', (runs) => runs.get(recipe))) as LearntState | undefined;
}

/** Another tab may have learnt the same run further: then that stays. */
export async function writeRun(recipe: string, state: LearntState): Promise<void> {
  await transaction('readwrite', (runs) => {
    const earlier: IDBRequest<LearntState | undefined> = runs.get(recipe);
    earlier.onsuccess = () => {
      if ((earlier.result?.step ?? 0) < state.step) runs.put(state, recipe);
    };
    return earlier;
  });
}

export async function removeRuns(): Promise<void> {
  await transaction('readwrite', (runs) => runs.clear());
}

/** Throws LincirError 'io' where there is no storage, as in some private windows, or where it is full. */
async function transaction(
  mode: IDBTransactionMode,
  work: (runs: IDBObjectStore) => { readonly result: unknown },
): Promise<unknown> {
  let opened: IDBDatabase | undefined;
  try {
    const opening = indexedDB.open(database, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(store);
    opened = await settled(opening);
    const done = opened.transaction(store, mode, { durability: 'strict' });
    const request = work(done.objectStore(store));
    await new Promise<void>((resolve, reject) => {
      done.oncomplete = () => resolve();
      done.onabort = () => reject(done.error);
    });
    return request.result;
  } catch (cause) {
    throw new LincirError('io', {
      subject: "the browser's storage",
      expected: mode === 'readonly' ? 'to be there' : 'to take what is learnt',
      found: cause instanceof Error ? cause.message || cause.name : `${cause}`,
      todo: 'free some space, or leave the private window; until then, what is learnt lives as long as this tab',
      cause,
    });
  } finally {
    opened?.close();
  }
}

function settled<Result>(request: IDBOpenDBRequest & { readonly result: Result }): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error('another tab holds it'));
  });
}
