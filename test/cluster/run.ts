/**
 * Runs the tests that need a cluster, on three nodes of this machine: `node test/cluster/run.ts HOME`, where `install.sh`
 * made HOME and JAVA_HOME has the JDK.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startNodes, stopNodes } from './nodes.ts';

const [home] = process.argv.slice(2);
const java = process.env.JAVA_HOME;
if (home === undefined || java === undefined)
  throw new Error('usage: JAVA_HOME=… node test/cluster/run.ts HOME');

/** The last one kills a node. */
const tests = [
  ['src/store/store.test.ts', 'src/store/notes.test.ts', 'src/store/durable-store.test.ts'],
  [
    'src/store/opensearch/store.test.ts',
    'src/store/opensearch/query.test.ts',
    'test/cluster/commands.test.ts',
    'src/service/sharing.test.ts',
  ],
  ['test/cluster/loss.test.ts'],
];
const folder = await mkdtemp(join(tmpdir(), 'lincir-nodes-'));
let nodes: Awaited<ReturnType<typeof startNodes>> = [];
try {
  nodes = await startNodes({ home: resolve(home), java, folder });
  const variables = {
    LINCIR_TEST_OPENSEARCH: nodes.map(({ address }) => address).join(),
    LINCIR_TEST_OPENSEARCH_PIDS: nodes.map((node) => node.process.pid).join(),
  };
  for (const files of tests) {
    const flags = ['--test', '--test-concurrency=1', '--test-name-pattern=OpenSearch', ...files];
    const child = spawn(process.execPath, flags, { stdio: 'inherit', env: { ...process.env, ...variables } });
    const [code] = await once(child, 'exit');
    if (code !== 0) process.exitCode = 1;
  }
} finally {
  await stopNodes(nodes);
  await rm(folder, { recursive: true });
}
