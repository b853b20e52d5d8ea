/** Starts nodes of OpenSearch on this machine, from what `install.sh` made, and ends them. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
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
  const { count = 3, basePort = 9210 } = options;
  const numbers = Array.from({ length: count }, (_, at) => at + 1);
  const nodes: Node[] = [];
  try {
    for (const number of numbers) nodes.push(await startNode(number, numbers, options));
    const wanted = `wait_for_nodes=${count}&timeout=5s`;
    const end = performance.now() + secondsToStart * 1000;
    for (;;) {
      const health = await fetch(`http://127.0.0.1:${basePort + 1}/_cluster/health?${wanted}`).catch(
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

async function startNode(number: number, all: readonly number[], options: NodesOptions): Promise<Node> {
  const { home, java, folder, basePort = 9210, heap = '512m' } = options;
  const own = join(folder, `node-${number}`);
  const transportPort = (other: number) => basePort + 100 + other;
  const settings = {
    'cluster.name': `lincir-test-${basePort}`,
    'node.name': `node-${number}`,
    'node.processors': 2,
    'path.data': join(own, 'data'),
    'path.logs': join(own, 'logs'),
    'network.host': '127.0.0.1',
    'http.port': basePort + number,
    'transport.port': transportPort(number),
    'discovery.seed_hosts': all.map((other) => `127.0.0.1:${transportPort(other)}`),
    'cluster.initial_cluster_manager_nodes': all.map((other) => `node-${other}`),
    'cluster.routing.allocation.disk.threshold_enabled': false, // the disk of a test machine may be nearly full
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
  const output = openSync(join(own, 'output.log'), 'w');
  const child = spawn(
    join(java, 'bin/java'),
    [...flags, '-cp', join(home, 'lib/*'), 'org.opensearch.bootstrap.OpenSearch'],
    { stdio: ['ignore', output, output], cwd: own, ...(isRoot && { uid: nobody, gid: nobody }) },
  );
  return { address: `127.0.0.1:${basePort + number}`, process: child };
}

async function complaints({ folder }: NodesOptions, numbers: readonly number[]): Promise<string> {
  const logs = numbers.map((number) => readFile(join(folder, `node-${number}/output.log`), 'utf8'));
  const ends = (await Promise.all(logs)).map((text) => text.slice(-2000));
  return `the nodes form no cluster:\n${ends.join('\n---\n')}`;
}
