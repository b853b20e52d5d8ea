/** What the browser remembers between visits beside index and models: which model and phi, and which folders. IndexedDB keeps it. */

export interface Settings {
  /** By its name on the hub. */
  readonly model?: string | undefined;
  /** A model on disk. */
  readonly modelFolder?: FileSystemDirectoryHandle | undefined;
  readonly phi?: string | undefined;
  readonly folders?: readonly RememberedFolder[];
}

/** One that the browser may read itself, once the person allows it again. */
export interface RememberedFolder {
  /** In the index: the folder's own, or one that tells it from another of that name. */
  readonly name: string;
  readonly handle: FileSystemDirectoryHandle;
}

const name = 'lincir-photos';
const store = 'settings';
const key = 'all';

/** Nothing where the browser keeps nothing. */
export async function readSettings(): Promise<Settings> {
  return await inStore('readonly', read).catch(() => ({}));
}

/** @param change gives what is to be another from what is there */
export async function changeSettings(change: (old: Settings) => Settings): Promise<void> {
  await inStore('readwrite', async (settings) => {
    const old = await read(settings);
    await done(settings.put({ ...old, ...change(old) }, key));
  }).catch(() => undefined);
}

/** @throws what keeps it from being forgotten */
export async function forgetSettings(): Promise<void> {
  await inStore('readwrite', (settings) => done(settings.clear()));
}

async function read(settings: IDBObjectStore): Promise<Settings> {
  return ((await done(settings.get(key))) as Settings | undefined) ?? {};
}

/** One transaction. */
async function inStore<Result>(
  mode: IDBTransactionMode,
  work: (settings: IDBObjectStore) => Promise<Result>,
): Promise<Result> {
  const opening = indexedDB.open(name, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(store);
  const database = await done(opening);
  try {
    return await work(database.transaction(store, mode).objectStore(store));
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
