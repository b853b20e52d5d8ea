/** The right to be the one who removes and rebuilds: a document that says who has it, and until when. */

import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { LincirError, quoted } from '../../core/index.ts';
import { isRunning, thisProcess } from '../../files/index.ts';
import { type Cluster, firstPatience } from './cluster.ts';

/** Milliseconds after which the lease of a process that gives no sign of life is free, by the clock of the node that has the document. */
const lifetime = 120_000;
const renewal = 20_000;
/** A write may begin so long after the last renewal. An attempt takes at most a minute, so it ends within the lifetime. */
const trust = 40_000;

/** One step, as OpenSearch does an update: nobody comes between. */
const script = `
  boolean isOurs = ctx._source.owner == params.owner;
  boolean isFree = ctx._source.owner == null || ctx._source.owner == params.ended || ctx._source.expires < ctx._now;
  if (isOurs && params.milliseconds == 0) ctx.op = 'delete';
  else if (isOurs || (isFree && params.milliseconds > 0 && !params.isRenewal)) {
    ctx._source.owner = params.owner;
    ctx._source.holder = params.holder;
    ctx._source.expires = ctx._now + params.milliseconds;
  } else ctx.op = 'none';`;
const holder = z.object({ pid: z.number(), birth: z.string(), place: z.string() });
const present = z.object({ _source: z.object({ owner: z.string(), holder }) });
const updated = z.object({ result: z.string() }).catch({ result: 'none' });

export class Lease {
  readonly #cluster: Cluster;
  readonly #alias: string;
  readonly #owner: string = randomUUID();
  readonly #timer: NodeJS.Timeout;
  /** When the last renewal was asked for, by two clocks: one may be set, the other stops while the machine sleeps. */
  #confirmed: readonly [number, number] = [0, 0];

  private constructor(cluster: Cluster, name: string) {
    this.#cluster = cluster;
    this.#alias = `${name}.lease.write`;
    this.#timer = setInterval(() => void this.renew().catch(() => {}), renewal).unref();
  }

  /**
   * Takes the lease of an index.
   * @param patience milliseconds to wait for another holder
   * @throws LincirError 'io' naming who has it
   */
  static async take(cluster: Cluster, name: string, patience = 0): Promise<Lease> {
    const mappings = {
      dynamic: 'strict',
      _meta: { lincir: 'lease' },
      properties: {
        owner: { type: 'keyword' },
        expires: { type: 'long' },
        holder: { type: 'object', enabled: false },
        // Of what servers share.
        kind: { type: 'keyword' },
        note: { type: 'keyword', index: false, doc_values: false },
      },
    };
    const settings = { number_of_shards: 1, auto_expand_replicas: '0-2' };
    const aliases = { [`${name}.lease.write`]: {} };
    await cluster.makeIndex(`${name}.lease`, { settings, mappings, aliases });
    const lease = new Lease(cluster, name);
    const end = performance.now() + patience;
    try {
      for (let ended: string | undefined; !(await lease.#set(lifetime, false, ended)); ) {
        const path = `/${name}.lease/_doc/writer`;
        const other = present.safeParse(await cluster.request({ method: 'GET', path, allowed: [404] })).data
          ?._source;
        const isEnded = other !== undefined && (await isRunning(other.holder)) === false;
        if (!isEnded && performance.now() >= end) throw held(cluster.uri, other?.holder);
        ended = isEnded ? other.owner : undefined;
        if (!isEnded) await pause(500);
      }
      return lease;
    } catch (error) {
      clearInterval(lease.#timer);
      throw error;
    }
  }

  /** @throws LincirError 'io' if another process may have the lease now */
  async ensure(): Promise<void> {
    const [date, time] = this.#confirmed;
    if (Math.max(Date.now() - date, performance.now() - time) > trust) await this.renew();
  }

  /** Throws as `ensure` does, and is sure. */
  async renew(): Promise<void> {
    if (await this.#set(lifetime, true)) return;
    throw new LincirError('io', {
      subject: this.#cluster.uri,
      expected: 'to be the only one who changes it',
      found: `another process, because this one gave no sign of life for ${lifetime / 1000} s`,
      todo: 'run the command again: what was written is kept',
    });
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    await this.#set(0, true).catch(() => {}); // it ends by itself
  }

  /** Returns whether the lease is ours now. */
  async #set(milliseconds: number, isRenewal: boolean, ended?: string): Promise<boolean> {
    const asked = [Date.now(), performance.now()] as const;
    const params = {
      owner: this.#owner,
      holder: await thisProcess(),
      milliseconds,
      isRenewal,
      ended: ended ?? null,
    };
    const upsert = isRenewal ? {} : { scripted_upsert: true, upsert: {} };
    const path = `/${this.#alias}/_update/writer`;
    const query = { require_alias: true, retry_on_conflict: 5 };
    const body = { script: { source: script, params }, ...upsert };
    const request = { method: 'POST', path, body, query, allowed: [404] } as const;
    // Whoever releases it does not wait for a cluster that is away.
    const answer = await this.#cluster.request(request, milliseconds === 0 ? firstPatience : undefined);
    const isOurs = ['created', 'updated'].includes(updated.parse(answer).result);
    if (isOurs) this.#confirmed = asked;
    return isOurs;
  }
}

function held(subject: string, other: z.infer<typeof holder> | undefined): LincirError {
  const host = other?.place.split(' ', 1)[0];
  return new LincirError('io', {
    subject,
    expected: 'an index that no other process changes',
    found: other ? `process ${other.pid} on ${quoted(host)}` : 'one that began just now',
    todo: `wait for its end; if its machine is gone, the index is free ${lifetime / 1000} s after its last sign of life`,
  });
}
