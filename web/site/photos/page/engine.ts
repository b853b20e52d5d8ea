/** The page's worker, its state, and the back end that it is for the search page's components. */

import { LincirProblem } from '../../../../src/api/client.ts';
import type { BackEnd } from '../../../src/back-end.ts';
import { startWorker } from '../../shell/start-worker.ts';
import { type Caller, callsOf } from '../engine/calls.ts';
import type { State } from '../engine/state.ts';
import type { EngineCalls } from '../engine/worker.ts';
import script from '../engine/worker.ts?worker&url';

export interface Engine extends Caller<EngineCalls> {
  /** Hears every state, the latest at once. */
  watch(listener: (state: State) => void): () => void;
}

/** `onCrash` hears why the worker is no more. */
export function startEngine(onCrash: (message: string) => void): Engine {
  const worker = startWorker(new URL(script, import.meta.url).href);
  const listeners = new Set<(state: State) => void>();
  let latest: State | undefined;
  const calls = callsOf<EngineCalls, State>(
    worker,
    (state) => {
      latest = state;
      for (const listener of listeners) listener(state);
    },
    onCrash,
  );
  return {
    ...calls,
    watch(listener) {
      listeners.add(listener);
      if (latest) listener(latest);
      return () => listeners.delete(listener);
    },
  };
}

export function tabBackEnd({ call }: Caller<EngineCalls>): BackEnd {
  const thumbnails = pictureAddresses(600);
  const originals = pictureAddresses(8);
  const unavailable = async (): Promise<never> => {
    throw new LincirProblem({ code: 'not-found', detail: 'This page has no server.' }, 404);
  };
  return {
    self: 'this page',
    thumbnailSides: [320],
    server: (options) => call('server', undefined, options?.signal),
    models: async () => [],
    search: (query, options) => call('search', query, options?.signal),
    image: (_, id, options) => call('image', id, options?.signal),
    values: (_, column, query, options) => call('values', { column, ...query }, options?.signal),
    upload: (_, file, __, options) => call('upload', file, options?.signal),
    thumbnail: (_, id) => thumbnails(id, () => call('thumbnail', id)),
    original: (_, id) => originals(id, () => call('original', id)),
    originalLink: () => undefined,
    uploadThumbnail: (handle) => thumbnails(handle, () => call('uploadThumbnail', handle)),
    indexing: unavailable,
    startIndexing: unavailable,
    stopIndexing: unavailable,
    signIn: unavailable,
  };
}

/** Addresses of pictures in memory. Those that were not used for longest are given back; what is on the screen stays there. */
function pictureAddresses(most: number) {
  const known = new Map<string, string | Promise<string>>();
  const giveBack = (address: string | Promise<string>) =>
    void Promise.resolve(address).then(URL.revokeObjectURL, () => undefined);
  return (name: string, picture: () => Promise<Blob>): string | Promise<string> => {
    const old = known.get(name);
    if (old !== undefined) {
      known.delete(name);
      known.set(name, old);
      return old;
    }
    const address = picture().then((blob) => {
      const url = URL.createObjectURL(blob);
      if (known.get(name) === address) known.set(name, url);
      return url;
    });
    known.set(name, address);
    address.catch(() => known.get(name) === address && known.delete(name));
    const [oldest] = known;
    if (known.size > most && oldest) {
      known.delete(oldest[0]);
      giveBack(oldest[1]);
    }
    return address;
  };
}
