/** What servers of one index share in a cluster: texts for a day, and whether searches can be answered. */

import { z } from 'zod';
import type { SharedStore } from '../store.ts';
import type { ClusterParts } from './cluster.ts';

/** Milliseconds for which a text is kept, and between two looks for those that are over. */
const lifetime = 24 * 60 * 60 * 1000;
const cleaning = 60 * 60 * 1000;
/** A probe does not wait for a cluster that takes long. */
const probePatience = { attempt: 1500, all: 1000 };

const kept = z.object({ _source: z.object({ note: z.string(), expires: z.number() }) });
const health = z.object({ status: z.enum(['green', 'yellow', 'red']) });

export class SharedNotes implements SharedStore {
  readonly #parts: ClusterParts;
  #cleaned = Date.now();

  constructor(parts: ClusterParts) {
    this.#parts = parts;
  }

  async readiness(): Promise<string | undefined> {
    const { cluster, images, notes } = this.#parts;
    const path = `/_cluster/health/${images},${notes}`;
    const query = { timeout: '1s' };
    const answer = await cluster.request({ method: 'GET', path, query }, probePatience);
    return health.parse(answer).status === 'red'
      ? 'a part of the index has no copy in the cluster'
      : undefined;
  }

  async put(key: string, text: string): Promise<void> {
    const id = idOf(key);
    const body = { kind: 'shared', note: text, expires: Date.now() + lifetime };
    const { cluster } = this.#parts;
    const path = `/${this.#lasting}.write/_doc/${id}`;
    await cluster.request({ method: 'PUT', path, body, query: { require_alias: true } });
    if (Date.now() - this.#cleaned < cleaning) return;
    this.#cleaned = Date.now();
    const isOver = [{ term: { kind: 'shared' } }, { range: { expires: { lt: Date.now() } } }];
    await cluster.request({
      method: 'POST',
      path: `/${this.#lasting}.write/_delete_by_query`,
      query: { conflicts: 'proceed' },
      body: { query: { bool: { filter: isOver } } },
    });
  }

  async get(key: string): Promise<string | undefined> {
    const request = { method: 'GET', path: `/${this.#lasting}/_doc/${idOf(key)}`, allowed: [404] } as const;
    const found = kept.safeParse(await this.#parts.cluster.request(request)).data?._source;
    return found && found.expires > Date.now() ? found.note : undefined;
  }

  /** The index that stays when another generation takes over, and in which a rebuild forbids nothing. */
  get #lasting(): string {
    return this.#parts.lease;
  }
}

/** It becomes a part of a path, so it must need no escape. */
function idOf(key: string): string {
  if (!/^[\w-]{1,64}$/.test(key)) throw new RangeError(`not a key: ${key}`);
  return `shared-${key}`;
}
