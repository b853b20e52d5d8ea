/** What the browser remembers between visits beside index and models: which model and phi, and which folders. IndexedDB keeps it. */

export interface Settings {
  readonly model?: string | undefined;
  readonly phi?: string | undefined;
  /** Folders that the browser may read itself, once the person allows it again. */
  readonly folders?: readonly FileSystemDirectoryHandle[];
}

const name = 'lincir-photos';
const store = 'settings';
const key = 'all';

/** Nothing where the browser keeps nothing. */
export async function readSettings(): Promise<Settings> {
  try {
    return ((await inStore('readonly', (settings) => settings.get(key))) as Settings | undefined) ?? {};
  } catch {
    return {};
  }
}

export async function changeSettings(part: Settings): Promise<void> {
  const all = { ...(await readSettings()), ...part };
  await inStore('readwrite', (settings) => settings.put(all, key)).catch(() => undefined);
}

export async function forgetSettings(): Promise<void> {
  await inStore('readwrite', (settings) => settings.clear()).catch(() => undefined);
}

async function inStore<Result>(
  mode: IDBTransactionMode,
  ask: (settings: IDBObjectStore) => IDBRequest<Result>,
): Promise<Result> {
  const opening = indexedDB.open(name, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(store);
  const database = await done(opening);
  try {
    return await done(ask(database.transaction(store, mode).objectStore(store)));
  } finally {
    database.close();
  }
}

function done<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    if ('onblocked' in request) request.onblocked = () => reject(new Error('another tab has it'));
  });
}
