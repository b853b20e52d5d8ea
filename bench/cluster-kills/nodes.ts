/** Three OpenSearch nodes of their own, on loopback or in network namespaces, which can be killed and started again. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';

/** Where a node listens. */
export interface NodePlace {
  readonly host: string;
  readonly port: number;
  readonly transportPort: number;
  /** A network namespace, if it is in one. */
  readonly namespace?: string;
}

const patience = 300_000;
/** OpenSearch refuses to run as root, so it is nobody's. */
const nobody = 65_534;
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

const logging = `status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%c{1}] [%node_name] %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
`;

export class Nodes {
  readonly places: readonly NodePlace[];
  readonly #folder: string;
  readonly #further: string;
  readonly #children = new Map<number, ChildProcess>();

  /**
   * @param folder where their data and logs go
   * @param further lines of opensearch.yml
   */
  constructor(folder: string, places: readonly NodePlace[], further = '') {
    this.#folder = folder;
    this.#further = further;
    this.places = places;
    process.on('exit', () => {
      for (const child of this.#children.values()) child.kill('SIGKILL');
    });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  }

  /** The index's address for a store's client that knows these nodes. */
  address(name: string, numbers: readonly number[] = [...this.places.keys()]): string {
    const hosts = numbers.map((number) => `${this.places[number]!.host}:${this.places[number]!.port}`);
    return `opensearch://${hosts.join()}/${name}`;
  }

  async startAll(): Promise<void> {
    await chmod(this.#folder, 0o755);
    for (const number of this.places.keys()) await this.#prepare(number);
    for (const number of this.places.keys()) await this.start(number);
    await this.green();
  }

  async start(number: number): Promise<void> {
    const home = needed('OPENSEARCH_HOME');
    const folder = this.#folderOf(number);
    const { namespace } = this.places[number]!;
    const drop = process.getuid?.() === 0 ? `setpriv --reuid=${nobody} --regid=${nobody} --clear-groups` : '';
    const enter = namespace === undefined ? '' : `ip netns exec ${namespace}`;
    const options = [
      '-Xms512m -Xmx512m -XX:+UseG1GC -Xss1m -XX:TieredStopAtLevel=1 -Xshare:auto',
      `-Djava.io.tmpdir=${folder}/tmp -Djna.tmpdir=${folder}/tmp -Djava.awt.headless=true -Djna.nosys=true`,
      '-Dopensearch.networkaddress.cache.ttl=60 -Dfile.encoding=UTF-8 -Dlog4j2.disable.jmx=true',
      '-Dlog4j.shutdownHookEnabled=false -Dio.netty.noUnsafe=true -Dio.netty.noKeySetOptimization=true',
      '-Dio.netty.recycler.maxCapacityPerThread=0 --enable-native-access=ALL-UNNAMED',
      `--add-modules=jdk.incubator.vector -Dopensearch.path.home=${home} -Dopensearch.path.conf=${folder}/config`,
      '-Dopensearch.distribution.type=tar -Dopensearch.bundled_jdk=false',
      `-cp ${home}/lib/* org.opensearch.bootstrap.OpenSearch`,
    ];
    const java = process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin/java') : 'java';
    const words = [enter, drop, java, ...options]
      .flatMap((text) => text.split(' '))
      .filter((word) => word !== '');
    const log = await open(join(folder, 'out.log'), 'a');
    const child = spawn(words[0]!, words.slice(1), { stdio: ['ignore', log.fd, log.fd] });
    await log.close();
    this.#children.set(number, child);
  }

  /** Ends a node as a loss of power would. */
  async kill(number: number): Promise<void> {
    const child = this.#children.get(number)!;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** Waits until all nodes are there with all copies of everything. Returns milliseconds. */
  async green(from = 0): Promise<number> {
    const begin = performance.now();
    while (performance.now() - begin < patience) {
      const path = `_cluster/health?wait_for_status=green&wait_for_nodes=${this.places.length}&timeout=5s`;
      const found = health.safeParse(await this.ask(from, path).catch(() => undefined)).data;
      const { status, number_of_nodes, relocating_shards } = found ?? {};
      if (status === 'green' && number_of_nodes === this.places.length && relocating_shards === 0) {
        return performance.now() - begin;
      }
      await pause(200);
    }
    throw new Error(
      `the cluster is not green after ${patience / 1000} s; look at the logs in ${this.#folder}`,
    );
  }

  /** The number of the node that manages the cluster, as node `from` sees it. */
  async manager(from = 0): Promise<number> {
    const [found] = managers.parse(await this.ask(from, '_cat/cluster_manager?format=json'));
    return Number(found!.node.slice(1)) - 1;
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

  async delete(name: string): Promise<void> {
    for (const part of [`${name}.images.*`, `${name}.notes.*`, `${name}.lease`]) {
      await this.ask(0, part, 'DELETE');
    }
  }

  /** What a node answers, whatever its status is. */
  async ask(number: number, path: string, method = 'GET', milliseconds = 60_000): Promise<unknown> {
    const { host, port } = this.places[number]!;
    const signal = AbortSignal.timeout(milliseconds);
    const response = await fetch(`http://${host}:${port}/${path}`, { method, signal });
    return await response.json();
  }

  async stop(): Promise<void> {
    await Promise.all(
      [...this.#children].map(async ([number, child]) => {
        if (child.exitCode === null && child.signalCode === null) await this.kill(number);
      }),
    );
  }

  async #prepare(number: number): Promise<void> {
    const { host, port, transportPort } = this.places[number]!;
    const folder = this.#folderOf(number);
    for (const part of ['config', 'data', 'logs', 'tmp'])
      await mkdir(join(folder, part), { recursive: true });
    const names = this.places.map((_, at) => `"n${at + 1}"`);
    const seeds = this.places.map((place) => `"${place.host}:${place.transportPort}"`);
    const settings = `cluster.name: lincir-kills
node.name: n${number + 1}
path.data: ${folder}/data
path.logs: ${folder}/logs
network.host: ${host}
http.port: ${port}
transport.port: ${transportPort}
discovery.seed_hosts: [${seeds}]
cluster.initial_cluster_manager_nodes: [${names}]
cluster.routing.allocation.disk.threshold_enabled: false
node.store.allow_mmap: false
node.processors: 1
${this.#further}
`;
    await writeFile(join(folder, 'config/opensearch.yml'), settings);
    await writeFile(join(folder, 'config/log4j2.properties'), logging);
    if (process.getuid?.() !== 0) return;
    for (const part of [
      '',
      'config',
      'data',
      'logs',
      'tmp',
      'config/opensearch.yml',
      'config/log4j2.properties',
    ]) {
      await chown(join(folder, part), nobody, nobody);
    }
  }

  #folderOf(number: number): string {
    return join(this.#folder, `n${number + 1}`);
  }
}

function needed(name: string): string {
  const value = process.env[name];
  if (value) return value;
  throw new Error(`${name} is not set: it names the folder of an OpenSearch with its k-NN plugin`);
}
