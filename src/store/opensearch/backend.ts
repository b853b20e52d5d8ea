/** Keeps indexes in OpenSearch clusters: which generation an index's name means, and how a new one takes its place. */

import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { call, formatCounted, LincirError, quoted } from '../../core/index.ts';
import { warn } from '../../files/index.ts';
import type { StoreBackend } from '../backend.ts';
import { expectKnownVersion, identityOf, infoSchema } from '../info.ts';
import type { StoreInfo } from '../store.ts';
import { parseAddress } from './address.ts';
import { Cluster, description, patience } from './cluster.ts';
import { ofAnother } from './errors.ts';
import { imageMapping, laterFields, mostFields } from './fields.ts';
import { Lease } from './lease.ts';
import { notesMapping } from './notes.ts';
import { mostHits, OpenSearchStore } from './store.ts';

/** Milliseconds to wait for another process that makes the same index. */
const creationTime = 60_000;

export const openSearchBackend: StoreBackend = {
  open(uri, access) {
    return connected(uri, async (indexes) => {
      if (access === 'read') return indexes.store(await indexes.current());
      const found = await indexes.current();
      if (access === 'add' && found.isWritable && found.isComplete) return indexes.store(found);
      await indexes.take();
      const now = await indexes.current();
      if (!now.isWritable) await indexes.allowWriting(now.generation, true);
      if (!now.isComplete) await indexes.addFields(now.generation);
      await indexes.remove(now.generation - 1, now.generation + 1); // what an interrupted rebuild has left
      if (access === 'add') await indexes.release();
      return indexes.store(now);
    });
  },

  create(uri, info, access = 'write') {
    return connected(uri, async (indexes) => {
      await indexes.take(access === 'add' ? creationTime : 0);
      const found = await indexes.described();
      if (found && access === 'write') {
        throw new LincirError('bad-argument', {
          subject: uri,
          expected: 'a place without an index',
          found: 'one',
          todo: 'open it, or choose another place',
        });
      }
      if (!found) await indexes.make(1, info, true);
      if (access === 'add') await indexes.release();
      return indexes.store(found ?? { generation: 1, info });
    });
  },

  replace(uri, info) {
    return connected(uri, async (indexes) => {
      await indexes.take();
      const { generation } = await indexes.current();
      const next = generation + 1;
      await indexes.remove(generation - 1);
      await indexes.allowWriting(generation, false);
      indexes.onClose = () => indexes.allowWriting(generation, true);
      const begun = await indexes.described(next);
      const isSame = begun !== undefined && identityOf(begun.info) === identityOf(info);
      if (!isSame) await indexes.make(next, info, false);
      const publish = async () => {
        await indexes.publish(generation, next);
        indexes.onClose = undefined;
      };
      return { store: indexes.store({ generation: next, info: isSame ? begun.info : info }), publish };
    });
  },
};

interface Generation {
  readonly generation: number;
  readonly info: StoreInfo;
}

interface FoundGeneration extends Generation {
  readonly isWritable: boolean;
  /** Whether it has all fields: one of an earlier version lacks some. */
  readonly isComplete: boolean;
}

/** The indexes in a cluster that belong to one name, and a lease on them. */
class Indexes {
  readonly #cluster: Cluster;
  readonly #name: string;
  #lease: Lease | undefined;
  /** Comes when the store is closed. */
  onClose: (() => Promise<void>) | undefined;

  constructor(cluster: Cluster, name: string) {
    this.#cluster = cluster;
    this.#name = name;
  }

  async take(patience = 0): Promise<void> {
    this.#lease = await Lease.take(this.#cluster, this.#name, patience);
  }

  async release(): Promise<void> {
    await this.#lease?.release();
    this.#lease = undefined;
  }

  /** @throws LincirError as `described` does, and 'not-found' if there is none */
  async current() {
    const found = await this.described();
    if (found) return found;
    throw new LincirError('not-found', {
      subject: this.#cluster.uri,
      expected: 'an index',
      found: 'none',
      todo: `check the address, or make one: ${call('openIndex', this.#cluster.uri, { model: 'base' })}`,
    });
  }

  /**
   * The generation of a number, or the one that the name means; undefined if there is none.
   * @throws LincirError 'bad-argument' if there is something else, 'bad-file' for an index of a newer version
   */
  async described(generation?: number): Promise<FoundGeneration | undefined> {
    const target = generation === undefined ? this.#name : this.#names(generation).images;
    const answer = await this.#cluster.request({ method: 'GET', path: `/${target}`, allowed: [404] });
    const found = Object.entries(description.safeParse(answer).data ?? {});
    if (found.length === 0) return undefined;
    const [[index, { aliases, mappings }]] = found as [(typeof found)[number]];
    const [, number] = /^.*\.images\.(\d+)$/.exec(index) ?? [];
    const described = mappings._meta?.lincir;
    if (described !== undefined) expectKnownVersion(described, this.#cluster.uri);
    const info = infoSchema.safeParse(described).data;
    const names = this.#names(Number(number));
    if (found.length === 1 && info && index === names.images) {
      return {
        generation: Number(number),
        info,
        isWritable: `${names.images}.write` in aliases,
        isComplete: Object.keys(laterFields).every((name) => name in mappings.properties),
      };
    }
    throw ofAnother(this.#cluster.uri, target);
  }

  /** Makes the indexes of a generation, in place of what an interrupted creation has left. */
  async make(generation: number, info: StoreInfo, isCurrent: boolean): Promise<void> {
    const names = this.#names(generation);
    // A wrong setting is told before anything is deleted.
    const isOnDisk = setting('VECTORS', 'on_disk, or nothing', (given) => given === 'on_disk') !== undefined;
    // Nothing is deleted if another program has one of the names.
    await this.#cluster.hasIndex(names.notes);
    await this.described(generation);
    await this.remove(generation);
    const settings = await this.#settings(generation);
    const common = { ...settings, refresh_interval: '5s' };
    const alias = (index: string) => ({ [`${index}.write`]: {} });
    await this.#cluster.makeIndex(names.notes, {
      settings: { index: { ...common, number_of_shards: 1 } },
      mappings: notesMapping,
      aliases: alias(names.notes),
    });
    const limits = { max_result_window: mostHits, 'mapping.total_fields.limit': mostFields };
    await this.#cluster.makeIndex(names.images, {
      settings: { index: { ...common, ...limits, knn: true } },
      mappings: imageMapping(info, isOnDisk),
      aliases: { ...alias(names.images), ...(isCurrent && { [this.#name]: {} }) },
    });
  }

  async addFields(generation: number): Promise<void> {
    const path = `/${this.#names(generation).images}/_mapping`;
    await this.#cluster.request({ method: 'PUT', path, body: { properties: laterFields } });
  }

  /**
   * Allows or forbids writing, and waits until everything that was sent before is written. The missing alias shows that
   * this is our doing, and not an administrator's.
   */
  async allowWriting(generation: number, isAllowed: boolean): Promise<void> {
    const indexes = Object.values(this.#names(generation));
    for (const index of indexes) await this.#cluster.hasIndex(index);
    const all = indexes.join();
    if (isAllowed) {
      const body = { 'index.blocks.write': null };
      await this.#cluster.request({ method: 'PUT', path: `/${all}/_settings`, body });
    }
    const actions = indexes.map((index) => ({
      [isAllowed ? 'add' : 'remove']: { index, alias: `${index}.write` },
    }));
    await this.#cluster.request({ method: 'POST', path: '/_aliases', body: { actions }, allowed: [404] });
    if (!isAllowed) await this.#cluster.request({ method: 'PUT', path: `/${all}/_block/write` });
  }

  /**
   * One change of the cluster's state makes the name mean the new index. The old one goes by a later change: nodes take up
   * a change one by one, the manager last, and a reader that misses the old index must be told of the new one.
   */
  async publish(old: number, next: number): Promise<void> {
    await this.#lease?.renew();
    const actions = [
      { add: { index: this.#names(next).images, alias: this.#name } },
      { remove: { index: this.#names(old).images, alias: this.#name } },
    ];
    const request = { method: 'POST', path: '/_aliases', body: { actions }, allowed: [404] } as const;
    const end = performance.now() + patience.all;
    // Not all nodes may have taken it up when the answer comes. 404: an earlier attempt did it, or an index is gone.
    for (;;) {
      await this.#cluster.request(request);
      const { generation } = await this.current();
      if (generation === next) break;
      if (performance.now() >= end) {
        throw new LincirError('io', {
          subject: this.#cluster.uri,
          expected: `the index ${this.#names(old).images}, to be replaced`,
          found: 'that a part of it is gone',
          todo: 'look at the indexes and aliases of this name in the cluster',
        });
      }
      await pause(500);
    }
    await this.remove(old);
  }

  /** Deletes generations that are not in use, as far as they are there, and nothing of another program. */
  async remove(...generations: readonly number[]): Promise<void> {
    await this.#cluster.deleteIndexes(generations.flatMap((one) => Object.values(this.#names(one))));
  }

  store({ generation, info }: Generation): OpenSearchStore {
    const lease = this.#lease;
    return new OpenSearchStore({
      ...{ cluster: this.#cluster, info, ...this.#names(generation), lease: `${this.#name}.lease` },
      before: async () => await lease?.ensure(),
      close: () => this.close(),
    });
  }

  async close(): Promise<void> {
    try {
      // Whoever has lost the lease must not undo what its new holder does.
      const isOurs =
        this.onClose &&
        (await this.#lease?.renew().then(
          () => true,
          () => false,
        ));
      if (isOurs) await this.onClose?.();
    } finally {
      await this.release();
      await this.#cluster.close();
    }
  }

  #names(generation: number) {
    return { images: `${this.#name}.images.${generation}`, notes: `${this.#name}.notes.${generation}` };
  }

  /**
   * How many parts and copies a generation has; every write reaches two copies if there are two nodes. A node may be away
   * while a new generation is made, so it has no fewer than the one before.
   */
  async #settings(generation: number) {
    const health = await this.#cluster.request({ method: 'GET', path: '/_cluster/health' });
    const nodes = z.object({ number_of_data_nodes: z.number() }).parse(health).number_of_data_nodes;
    const path = `/${this.#names(generation - 1).images}/_settings`;
    const old = layouts.safeParse(await this.#cluster.request({ method: 'GET', path, allowed: [404] })).data;
    const [before] = Object.values(old ?? {}).map(({ settings }) => settings.index);
    const given = countOf('REPLICAS', 0);
    if ((given ?? 0) >= nodes) {
      warn(
        `LINCIR_OPENSEARCH_REPLICAS is ${given}, but the cluster has ${formatCounted(nodes, 'data nodes')}: the index is yellow until there are ${given! + 1}`,
      );
    }
    const copies = given ?? Math.max(Math.min(nodes - 1, 1), before?.number_of_replicas ?? 0);
    return {
      number_of_shards: countOf('SHARDS', 1) ?? Math.max(nodes, before?.number_of_shards ?? 0),
      number_of_replicas: copies,
      'write.wait_for_active_shards': `${Math.min(copies + 1, 2)}`,
      // A lost copy is made anew soon, because adding waits for it.
      'unassigned.node_left.delayed_timeout': '15s',
    };
  }
}

const layouts = z.record(
  z.string(),
  z.object({
    settings: z.object({
      index: z.object({ number_of_shards: z.coerce.number(), number_of_replicas: z.coerce.number() }),
    }),
  }),
);

function countOf(name: 'SHARDS' | 'REPLICAS', least: number): number | undefined {
  const isCount = (given: string) => z.coerce.number().int().min(least).max(1024).safeParse(given).success;
  const given = setting(name, `a whole number from ${least} to 1024`, isCount);
  return given === undefined ? undefined : Number(given);
}

/** From the environment. */
function setting(name: string, expected: string, isRight: (given: string) => boolean): string | undefined {
  const given = process.env[`LINCIR_OPENSEARCH_${name}`] || undefined;
  if (given === undefined || isRight(given)) return given;
  const subject = `LINCIR_OPENSEARCH_${name}`;
  throw new LincirError('bad-argument', { subject, expected, found: quoted(given) });
}

async function connected<T>(uri: string, work: (indexes: Indexes) => Promise<T>): Promise<T> {
  const { name } = parseAddress(uri);
  const indexes = new Indexes(await Cluster.connect(uri), name);
  try {
    return await work(indexes);
  } catch (error) {
    await indexes.close().catch(() => {});
    throw error;
  }
}
