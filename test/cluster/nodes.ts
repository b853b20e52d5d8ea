/** Starts nodes of OpenSearch on this machine, from what `install.sh` made, and ends them. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

export interface NodesOptions {
  /** Where OpenSearch and the JDK are, and where the nodes keep their data. */
  readonly home: string;
  readonly java: string;
  readonly folder: string;
  readonly count?: number;
  /** Nodes answer at the ports after this one. */
  readonly basePort?: number;
  readonly heap?: string;
  /** Default: all are on 127.0.0.1. */
  readonly hosts?: readonly string[];
  /** The words that run a command where a node is, such as in a network namespace. */
  readonly enter?: (number: number) => readonly string[];
  /** Further lines of opensearch.yml, or others in place of ours. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

export interface Node {
  readonly address: string;
  readonly process: ChildProcess;
}

/** OpenSearch refuses to run as root. Debian and others have this user, called nobody. */
const nobody = 65_534;
const secondsToStart = 300;

/** Starts nodes that form one cluster, and waits for it. */
export async function startNodes(options: NodesOptions): Promise<Node[]> {
  const { count = 3 } = options;
  const numbers = numbersOf(options);
  const nodes: Node[] = [];
  try {
    for (const number of numbers) nodes.push(await startNode(number, options));
    const wanted = `wait_for_nodes=${count}&timeout=5s`;
    const end = performance.now() + secondsToStart * 1000;
    for (;;) {
      const health = await fetch(`http://${nodes[0]!.address}/_cluster/health?${wanted}`).catch(
        () => undefined,
      );
      if (health?.ok) return nodes;
      const isLost = nodes.some(({ process }) => process.exitCode !== null);
      if (isLost || performance.now() > end) throw new Error(await complaints(options, numbers));
      await pause(500);
    }
  } catch (error) {
    await stopNodes(nodes);
    throw error;
  }
}

export async function stopNodes(nodes: readonly Node[]): Promise<void> {
  await Promise.all(
    nodes.map(async ({ process: { exitCode, signalCode, ...process }, process: child }) => {
      if (exitCode !== null || signalCode !== null || process.killed) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL'); // their data is of no use
      await ended;
    }),
  );
}

/** Starts one of the nodes, from 1, or starts it again with the data that it had. */
export async function startNode(number: number, options: NodesOptions): Promise<Node> {
  const { home, java, folder, basePort = 9210, heap = '512m', enter, settings: further } = options;
  const own = join(folder, `node-${number}`);
  const all = numbersOf(options);
  const hostOf = (other: number) => options.hosts?.[other - 1] ?? '127.0.0.1';
  const transportPort = (other: number) => basePort + 100 + other;
  const settings = {
    'cluster.name': `lincir-test-${basePort}`,
    'node.name': `node-${number}`,
    'node.processors': 2,
    'path.data': join(own, 'data'),
    'path.logs': join(own, 'logs'),
    'network.host': hostOf(number),
    'http.port': basePort + number,
    'transport.port': transportPort(number),
    'discovery.seed_hosts': all.map((other) => `${hostOf(other)}:${transportPort(other)}`),
    'cluster.initial_cluster_manager_nodes': all.map((other) => `node-${other}`),
    'cluster.routing.allocation.disk.threshold_enabled': false, // the disk of a test machine may be nearly full
    ...further,
  };
  const log = [
    'rootLogger.level = warn',
    'rootLogger.appenderRef.console.ref = console',
    'appender.console.type = Console',
    'appender.console.name = console',
    'appender.console.layout.type = PatternLayout',
    'appender.console.layout.pattern = %d %p %c{1}: %m%n',
  ];
  for (const part of ['config', 'data', 'logs', 'tmp']) await mkdir(join(own, part), { recursive: true });
  const lines = Object.entries(settings).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  await writeFile(join(own, 'config/opensearch.yml'), `${lines.join('\n')}\n`);
  await writeFile(join(own, 'config/log4j2.properties'), `${log.join('\n')}\n`);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) {
    await chmod(folder, 0o755);
    for (const part of ['', 'config', 'data', 'logs', 'tmp']) await chown(join(own, part), nobody, nobody);
  }
  // These nodes live too short to gain from a better compiler, which would take most of the time.
  const flags = [
    ...['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'],
    ...[
      `-Xms${heap}`,
      `-Xmx${heap}`,
      '-Xss1m',
      `-Djava.io.tmpdir=${join(own, 'tmp')}`,
      `-Djna.tmpdir=${join(own, 'tmp')}`,
    ],
    ...[
      '-Djna.nosys=true',
      '-Dio.netty.noUnsafe=true',
      '-Dlog4j.shutdownHookEnabled=false',
      '-Dlog4j2.disable.jmx=true',
    ],
    ...[
      '--enable-native-access=ALL-UNNAMED',
      '--add-modules=jdk.incubator.vector',
      '-Dopensearch.distribution.type=tar',
    ],
    ...[
      `-Dopensearch.path.home=${home}`,
      `-Dopensearch.path.conf=${join(own, 'config')}`,
      '-Dopensearch.bundled_jdk=false',
    ],
  ];
  const output = openSync(join(own, 'output.log'), 'a');
  const [program, ...words] = [
    ...(enter?.(number) ?? []),
    ...(isRoot ? ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'] : []),
    ...[join(java, 'bin/java'), ...flags, '-cp', join(home, 'lib/*'), 'org.opensearch.bootstrap.OpenSearch'],
  ];
  const child = spawn(program!, words, { stdio: ['ignore', output, output], cwd: own });
  closeSync(output);
  return { address: `${hostOf(number)}:${basePort + number}`, process: child };
}

function numbersOf({ count = 3 }: NodesOptions): number[] {
  return Array.from({ length: count }, (_, at) => at + 1);
}

async function complaints({ folder }: NodesOptions, numbers: readonly number[]): Promise<string> {
  const logs = numbers.map((number) => readFile(join(folder, `node-${number}/output.log`), 'utf8'));
  const ends = (await Promise.all(logs)).map((text) => text.slice(-2000));
  return `the nodes form no cluster:\n${ends.join('\n---\n')}`;
}
