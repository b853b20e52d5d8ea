/** Chooses the backend of an index, by its address. */

import { LincirError } from '../core/index.ts';
import { pathOnDisk } from '../files/index.ts';
import { MemoryStore } from './memory-store.ts';
import type { Access, StoreInfo, VectorStore } from './store.ts';

/** A new set of images, which replaces the current one when it is published. */
interface Replacement {
  readonly store: VectorStore;
  publish(): Promise<void>;
}

/** Keeps indexes somewhere. A new backend is one more of these, and a line in `backendOf`. */
export interface StoreBackend {
  /** @throws LincirError 'not-found', 'bad-file' for an index of a newer version, 'io' while another process writes. */
  open(uri: string, access: Access): Promise<VectorStore>;
  /**
   * Makes an empty one, open for writing unless only adding is wanted. Throws as `open` does, and 'bad-argument' if there is one; of several
   * that begin together and only add, one makes it and the others open it, where the backend lets several add.
   */
  create(uri: string, info: StoreInfo, access?: Exclude<Access, 'read'>): Promise<VectorStore>;
  /** Continues a replacement that was begun with the same info. Any other is begun again. Nobody else writes or adds meanwhile. */
  replace(uri: string, info: StoreInfo): Promise<Replacement>;
}

const addresses = 'a path, lance:PATH, memory:, s3://…, gs://…, az://… or opensearch://HOST/NAME';

/**
 * The backend that an index's address means, and the address as the backend knows it.
 * @throws LincirError 'bad-argument' for a scheme that no backend knows
 */
export async function backendOf(uri: string): Promise<{ backend: StoreBackend; location: string }> {
  if (uri === 'memory:') return { backend: memoryBackend, location: uri };
  const location = uri.replace(/^lance:(?!\/\/)/, '');
  // File names and Windows drives may have a colon. So only a known name, or one before `//`, is a scheme.
  const scheme =
    /^(?:(?:https?|s3|gs|az|memory|opensearch(?:\+https)?)(?=:)|[a-z][a-z\d+.-]+(?=:\/\/))/i.exec(
      location,
    )?.[0];
  if (location !== '' && (scheme === undefined || /^(?:s3|gs|az):\/\//i.test(location))) {
    process.env.LANCEDB_LOG ??= 'error'; // LanceDB reports ordinary events as warnings.
    const { lanceBackend } = await import('./lance/backend.ts');
    return { backend: lanceBackend, location: scheme === undefined ? await pathOnDisk(location) : location };
  }
  if (/^opensearch(\+https)?:\/\//i.test(location)) {
    const { openSearchBackend } = await import('./opensearch/backend.ts');
    return { backend: openSearchBackend, location };
  }
  const isKnown = /^(?:s3|gs|az|opensearch(?:\+https)?)$/i.test(scheme ?? '');
  throw new LincirError('bad-argument', {
    subject: `index ${JSON.stringify(uri)}`,
    expected: addresses,
    found:
      scheme === undefined ? 'nothing' : `the scheme ${scheme.toLowerCase()}:${isKnown ? ' without //' : ''}`,
    todo: 'give an address of one of these kinds',
  });
}

/** Nothing outlives the process, so there is never one to open. */
const memoryBackend: StoreBackend = {
  async open(uri) {
    throw new LincirError('not-found', {
      subject: uri,
      expected: 'an index',
      found: 'none: each one in memory is new',
      todo: 'create it',
    });
  },
  create: async (_, info) => new MemoryStore(info),
  replace: async (_, info) => ({ store: new MemoryStore(info), publish: async () => {} }),
};
