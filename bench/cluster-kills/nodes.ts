/** Three OpenSearch nodes that can be killed and started again, numbered from 0, and what they say of themselves. */

import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { type Node, type NodesOptions, startNode, startNodes, stopNodes } from '../../test/cluster/nodes.ts';

const patience = 300_000;
const health = z.object({ status: z.string(), number_of_nodes: z.number(), relocating_shards: z.number() });
const managers = z.array(z.object({ node: z.string() }));
const copies = z.array(
  z.object({
    index: z.string(),
    shard: z.string(),
    prirep: z.string(),
    state: z.string(),
    docs: z.string().nullish(),
  }),
);
const indices = z.array(z.object({ index: z.string() }));

export class Nodes {
  readonly count = 3;
  readonly #options: NodesOptions;
  readonly #nodes: Node[];

  private constructor(options: NodesOptions, nodes: Node[]) {
    this.#options = options;
    this.#nodes = nodes;
    process.on('exit', () => {
      for (const node of this.#nodes) node.process.kill('SIGKILL');
    });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  }

  static async start(options: Omit<NodesOptions, 'java'>): Promise<Nodes> {
    const { JAVA_HOME: java } = process.env;
    if (java === undefined) throw new Error('JAVA_HOME is not set: it names the folder of a JDK');
    const all = { ...options, java, settings: { 'node.processors': 1, ...options.settings } };
    return new Nodes(all, await startNodes(all));
  }

  /** The index's address for a store's client that knows these nodes. */
  address(name: string, numbers: readonly number[] = [...this.#nodes.keys()]): string {
    return `opensearch://${numbers.map((number) => this.#nodes[number]!.address)}/${name}`;
  }

  /** Ends a node as a loss of power would. */
  async kill(number: number): Promise<void> {
    const { process: child } = this.#nodes[number]!;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async restart(number: number): Promise<void> {
    this.#nodes[number] = await startNode(number + 1, this.#options);
  }

  /** Waits until all nodes are there with all copies of everything. Returns milliseconds. */
  async green(from = 0): Promise<number> {
    const begin = performance.now();
    while (performance.now() - begin < patience) {
      const path = `_cluster/health?wait_for_status=green&wait_for_nodes=${this.count}&timeout=5s`;
      const found = health.safeParse(await this.ask(from, path).catch(() => undefined)).data;
      const { status, number_of_nodes, relocating_shards } = found ?? {};
      if (status === 'green' && number_of_nodes === this.count && relocating_shards === 0) {
        return performance.now() - begin;
      }
      await pause(200);
    }
    throw new Error(
      `the cluster is not green after ${patience / 1000} s; look at the logs in ${this.#options.folder}`,
    );
  }

  /** The number of the node that manages the cluster, as node `from` sees it. */
  async manager(from = 0): Promise<number> {
    const [found] = managers.parse(await this.ask(from, '_cat/cluster_manager?format=json'));
    return Number(found!.node.replace('node-', '')) - 1;
  }

  /** Parts of indexes of this name whose copies hold different numbers of documents, and go on doing so. */
  async unequalCopies(name: string): Promise<string[]> {
    let unequal: string[] = [];
    for (let look = 0; look < 5; look += 1) {
      if (look > 0) await pause(2000);
      await this.ask(0, `${name}*/_refresh`, 'POST');
      const found = copies.parse(await this.ask(0, `_cat/shards/${name}*?format=json`));
      const parts = Map.groupBy(found, ({ index, shard }) => `${index}/${shard}`);
      unequal = [...parts].flatMap(([part, all]) => {
        const shown = all.map(({ prirep, state, docs }) => `${prirep} ${state} ${docs ?? '?'}`);
        const isSame = all.every(({ state, docs }) => state === 'STARTED' && docs === all[0]!.docs);
        return isSame ? [] : [`${part}: ${shown.join(', ')}`];
      });
      if (unequal.length === 0) break;
    }
    return unequal;
  }

  /** The indexes with images of this name. */
  async generations(name: string): Promise<string[]> {
    const found = indices.parse(await this.ask(0, `_cat/indices/${name}.images.*?format=json`));
    return found.map(({ index }) => index);
  }

  async delete(name: string): Promise<void> {
    for (const part of [`${name}.images.*`, `${name}.notes.*`, `${name}.lease`]) {
      await this.ask(0, part, 'DELETE');
    }
  }

  /** What a node answers, whatever its status is. */
  async ask(number: number, path: string, method = 'GET', milliseconds = 60_000): Promise<unknown> {
    const signal = AbortSignal.timeout(milliseconds);
    const response = await fetch(`http://${this.#nodes[number]!.address}/${path}`, { method, signal });
    return await response.json();
  }

  async stop(): Promise<void> {
    await stopNodes(this.#nodes);
  }
}
