/** Sends requests to a cluster: to another node when one does not answer, and again while the trouble may pass. */

import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '@opensearch-project/opensearch';
import { z } from 'zod';
import { LincirError, quoted } from '../../core/index.ts';
import { warn } from '../../files/index.ts';
import type { StoreInfo } from '../store.ts';
import { credentialsFor, parseAddress } from './address.ts';
import { type Failure, failureFrom, failureOf, isUnknownHost, ofAnother, refusalOf } from './errors.ts';

export interface ClusterRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE' | 'HEAD';
  /** Its parts are names that need no escape. */
  readonly path: string;
  /** An object; or the lines of a bulk. */
  readonly body?: object | string;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  /** Statuses that are answers, too. */
  readonly allowed?: readonly number[];
  /** Comes before every attempt. What it throws ends them. */
  readonly before?: () => Promise<void>;
}

/** What a store is made of. */
export interface ClusterParts {
  readonly cluster: Cluster;
  readonly info: StoreInfo;
  /** Its indexes. Each has an alias for writing, with `.write` at the end. */
  readonly images: string;
  readonly notes: string;
  readonly lease: string;
  /** Comes before every write: throws if this process may not write any more. */
  readonly before: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Milliseconds for one attempt, and for all, longer than a cluster takes to replace a lost node. */
export interface Patience {
  readonly attempt: number;
  readonly all: number;
}
export const patience: Patience = { attempt: 30_000, all: 120_000 };
/** A search goes to another node soon. Each attempt has more time, up to that of other requests: it may just take long. */
export const searchAttempt = 5_000;
/** Whoever opens an index wants to know soon that the address is wrong, or that a node is silent. */
export const firstPatience: Patience = { attempt: 3_000, all: 5_000 };
/** Milliseconds without an answer of which users are told. */
const silence = 2_000;
/** The oldest version with all that this needs, and with which it was tried. */
const oldestVersion = 3;
const longestPause = 5_000;

/** What the cluster says of indexes, by their names. Each that lincir makes says so in its mapping. */
export const description = z.record(
  z.string(),
  z.object({
    aliases: z.record(z.string(), z.unknown()),
    mappings: z.object({
      _meta: z.object({ lincir: z.unknown().optional() }).optional(),
      properties: z.record(z.string(), z.unknown()).default({}),
    }),
  }),
);
const greeting = z.object({ version: z.object({ number: z.string(), distribution: z.string().optional() }) });

export class Cluster {
  readonly uri: string;
  readonly patience: Patience;
  readonly #client: Client;
  readonly #nodes: number;
  readonly #silent = new Set<string>();

  private constructor(uri: string, patience: Patience, client: Client, nodes: number) {
    this.uri = uri;
    this.patience = patience;
    this.#client = client;
    this.#nodes = nodes;
  }

  /** @throws LincirError 'network' if no node answers or lets this program in, 'bad-config' for one of another version */
  static async connect(uri: string, given = patience): Promise<Cluster> {
    const address = parseAddress(uri);
    const credentials = await credentialsFor(address);
    const { Client, Connection } = await import('@opensearch-project/opensearch');
    /** The client's own writes to standard output when a connection is lost in the middle of an answer. */
    class QuietConnection extends Connection {
      override request(...[params, callback]: Parameters<InstanceType<typeof Connection>['request']>) {
        const sent = super.request(params, (error, response) => {
          if (response) sent.removeAllListeners('error').on('error', () => {});
          callback(error, response);
        });
        return sent;
      }
    }
    const client = new Client({
      Connection: QuietConnection,
      ...credentials,
      nodes: [...address.nodes],
      maxRetries: 0, // all retries are here
      disablePrototypePoisoningProtection: true, // what is used of an answer is copied out of it
    });
    const cluster = new Cluster(uri, given, client, address.nodes.length);
    try {
      const found = greeting.safeParse(await cluster.request({ method: 'GET', path: '/' }, firstPatience));
      const { distribution = '', number = '' } = found.data?.version ?? {};
      if (distribution === 'opensearch' && Number.parseInt(number, 10) >= oldestVersion) return cluster;
      throw new LincirError('bad-config', {
        subject: uri,
        expected: `OpenSearch ${oldestVersion} or newer`,
        found: found.success
          ? quoted(`${distribution || 'another program of version'} ${number}`)
          : 'another program',
        todo: 'check the address, or use a newer cluster',
      });
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  /**
   * The answer's body. Whatever is sent must do no harm if it is done twice: an answer may get lost.
   * @throws LincirError naming the cause, when trying again makes no sense or has taken too long
   */
  async request(request: ClusterRequest, { attempt, all }: Patience = this.patience): Promise<unknown> {
    const end = performance.now() + all;
    const tried = new Map<string, string>();
    const unknown = new Set<string>();
    for (let attempts = 1; ; attempts += 1) {
      await request.before?.();
      const begun = performance.now();
      const limit = Math.max(attempt, Math.min(attempt * 2 ** (attempts - 1), this.patience.attempt));
      const outcome = await this.#send(request, limit);
      if (!('failure' in outcome)) return outcome.body;
      const { failure } = outcome;
      if (failure.node) tried.set(failure.node, failure.text);
      if (failure.node && isUnknownHost(failure)) unknown.add(failure.node);
      const isHopeless = !failure.isPassing || unknown.size === this.#nodes;
      const wait = attempts < this.#nodes ? 0 : Math.min(100 * 2 ** (attempts - this.#nodes), longestPause);
      const isLate = attempts >= this.#nodes && performance.now() + wait >= end;
      if (isHopeless || isLate) throw refusalOf(failure, this.uri, undefined, tried);
      if (failure.node && performance.now() - begun > silence) this.#tellSilent(failure.node);
      await pause(wait);
    }
  }

  /**
   * Makes an index, unless an earlier attempt has.
   * @throws LincirError 'bad-argument' if another program has one of this name, or an alias
   */
  async makeIndex(name: string, body: object): Promise<void> {
    const request = { method: 'PUT', path: `/${name}`, body, allowed: [400] } as const;
    const { error } = z.object({ error: z.unknown().optional() }).parse(await this.request(request));
    if (error === undefined) return;
    const failure = failureFrom(400, error);
    const isTaken = /resource_already_exists|invalid_index_name/.test(failure.text); // of an index or an alias
    if (!isTaken || !(await this.hasIndex(name))) throw refusalOf(failure, this.uri);
  }

  /** Whether lincir has made this index. Throws as `makeIndex` does. */
  async hasIndex(name: string): Promise<boolean> {
    const answer = await this.request({ method: 'GET', path: `/${name}`, allowed: [404] });
    const [found] = Object.entries(description.safeParse(answer).data ?? {});
    if (!found) return false;
    if (found[0] !== name || found[1].mappings._meta?.lincir === undefined) throw ofAnother(this.uri, name);
    return true;
  }

  /** Deletes those of these indexes that lincir has made. */
  async deleteIndexes(names: readonly string[]): Promise<void> {
    const query = { ignore_unavailable: true };
    const answer = await this.request({ method: 'GET', path: `/${names.join()}`, query, allowed: [404] });
    const found = description.safeParse(answer).data ?? {};
    for (const [name, { mappings }] of Object.entries(found)) {
      const isOurs = names.includes(name) && mappings._meta?.lincir !== undefined;
      if (isOurs) await this.request({ method: 'DELETE', path: `/${name}`, allowed: [404] });
    }
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  /** Once of each node. */
  #tellSilent(node: string): void {
    if (this.#silent.has(node)) return;
    this.#silent.add(node);
    warn(`${node} does not answer: ${this.#nodes > 1 ? 'another node is asked' : 'it is asked again'}`);
  }

  async #send(
    { method, path, body, query = {}, allowed = [] }: ClusterRequest,
    milliseconds: number,
  ): Promise<{ readonly body: unknown } | { readonly failure: Failure }> {
    const content = typeof body === 'string' ? { bulkBody: body } : { body };
    const sent = this.#client.transport.request(
      { method, path, ...(body !== undefined && content), querystring: { ...query } },
      { ignore: [...allowed], requestTimeout: milliseconds },
    );
    // The client waits without end for the rest of an answer that has begun.
    const limit = setTimeout(() => sent.abort(), 2 * milliseconds);
    try {
      return { body: (await sent).body as unknown };
    } catch (error) {
      return { failure: failureOf(error) };
    } finally {
      clearTimeout(limit);
    }
  }
}
