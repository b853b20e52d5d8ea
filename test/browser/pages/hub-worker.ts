/** What the tests of the hub ask of a page: the same in a worker and on the page's own thread. */

import {
  configureHub,
  describeModel,
  describePhi,
  downloadModel,
  forgetModel,
  keptModels,
  openModel,
  openPhi,
} from '../../../src/browser/index.ts';
import { keep, kept } from '../../../src/browser/kept.ts';
import { loadClip } from '../../../src/clip/index.ts';
import { LincirError, type RandomAccess } from '../../../src/core/index.ts';
import { readPhi } from '../../../src/phi/file.ts';
import type { Questions } from '../hub-pages.ts';

const patience = { attempts: 3, backoff: 1, silence: 20_000 };

async function hashOf(source: RandomAccess): Promise<string> {
  const bytes = await source.read(0, source.size);
  const hash = await crypto.subtle.digest('SHA-256', bytes);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

let held: RandomAccess | undefined;

async function eachBlock(
  change: (writable: FileSystemWritableFileStream) => Promise<void>,
  leastBytes = 0,
): Promise<void> {
  const within = async (folder: FileSystemDirectoryHandle): Promise<void> => {
    for await (const handle of folder.values()) {
      if (handle.kind === 'directory') await within(handle as FileSystemDirectoryHandle);
      else if (/^\d+$/.test(handle.name)) {
        const file = handle as FileSystemFileHandle;
        if ((await file.getFile()).size < leastBytes) continue;
        const writable = await file.createWritable({ keepExistingData: true });
        await change(writable);
        await writable.close();
      }
    }
  };
  await within(await navigator.storage.getDirectory());
}

const questions: Questions = {
  configure: async (changes) => configureHub(changes),
  read: async (name) => {
    const { files } = await openModel(name, { patience });
    const hashes: Record<string, string> = {};
    for (const file of (await files.list?.()) ?? []) hashes[file] = await hashOf((await files.read(file))!);
    return hashes;
  },
  part: async (name, file, offset, length) => {
    const { files } = await openModel(name, { patience });
    return Array.from(await (await files.read(file))!.read(offset, length));
  },
  phi: async (name) => {
    const notices: string[] = [];
    const onLicence = (notice: string) => notices.push(notice);
    const { info } = await readPhi(await openPhi(name, { patience, onLicence }));
    return { input: info.shape.input, notices };
  },
  describe: async (name) => ({ ...(await describeModel(name, { patience })) }),
  describePhi: async (name) => ({ ...(await describePhi(name, { patience })) }),
  download: async (name) => {
    const told: number[][] = [];
    await downloadModel(name, {
      patience,
      onProgress: ({ receivedBytes, totalBytes, allReceivedBytes, allTotalBytes }) =>
        told.push([receivedBytes, totalBytes, allReceivedBytes, allTotalBytes]),
    });
    return told;
  },
  abort: async (name, after) => {
    const controller = new AbortController();
    if (after === 0) controller.abort(new Error('enough'));
    await downloadModel(name, {
      patience,
      signal: controller.signal,
      onProgress: ({ allReceivedBytes }) => {
        if (allReceivedBytes >= after) controller.abort(new Error('enough'));
      },
    });
  },
  models: async () => await keptModels(),
  forget: async (id) => await forgetModel(id),
  fingerprint: async (name) => (await loadClip(name)).fingerprint,
  keep: async (name, text) => await keep(name, new TextEncoder().encode(text)),
  kept: async (name) => {
    const file = await kept(name);
    return file && new TextDecoder().decode(await file.read(0, file.size));
  },
  damage: () =>
    eachBlock((writable) => writable.write({ type: 'write', position: 7, data: new Uint8Array([1, 2, 3]) })),
  truncate: () => eachBlock((writable) => writable.truncate(10), 2 ** 20),
  wipe: async () => {
    const root = await navigator.storage.getDirectory();
    for await (const name of root.keys()) await root.removeEntry(name, { recursive: true });
  },
  hold: async (name, file) => {
    held = await (await openModel(name, { patience })).files.read(file);
    await held!.read(0, held!.size);
  },
  readHeld: async () => void (await held!.read(0, 4)),
  lateNews: async (name) => {
    let told = 0;
    await downloadModel(name, { patience, onProgress: () => (told += 1) }).catch(() => {});
    const before = told;
    await new Promise((resolve) => setTimeout(resolve, 200));
    return told - before;
  },
};

/** The answer, or the error as its parts. */
async function answer(name: keyof typeof questions, given: unknown[]): Promise<unknown> {
  try {
    return { value: await (questions[name] as (...given: unknown[]) => Promise<unknown>)(...given) };
  } catch (error) {
    const code = error instanceof LincirError ? error.code : 'none';
    return { code, message: error instanceof Error ? error.message : String(error) };
  }
}

addEventListener('unhandledrejection', ({ reason }) => console.warn(`nobody handled ${reason}`));
Object.assign(globalThis, { answerHere: answer });
if (!('document' in globalThis)) {
  addEventListener('message', async ({ data: { name, given, id } }) => {
    postMessage({ id, answer: await answer(name, given) });
  });
}
