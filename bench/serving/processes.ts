/** The processes that a benchmark of serving has beside itself: servers, and the load generator. */

import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadPlan, LoadReport } from './load.ts';
import type { Observation } from './observe.ts';

const main = join(import.meta.dirname, '../../src/cli/main.ts');
const patience = 120_000;
/** Linux counts processor time in these (USER_HZ). */
const ticksPerSecond = 100;
const children = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** Sends load from a process of its own, so that it takes nothing from whoever measures. */
export class LoadGenerator {
  readonly #child = kept(fork(join(import.meta.dirname, 'load.ts')));

  async load(plan: LoadPlan): Promise<LoadReport> {
    this.#child.send(plan);
    return await answerOf<LoadReport>(this.#child);
  }

  stop(): void {
    this.#child.disconnect();
  }
}

/** A server in its own process. */
export class ServerProcess {
  readonly origin: string;
  readonly child: ChildProcess;

  private constructor(child: ChildProcess, origin: string) {
    this.child = child;
    this.origin = origin;
  }

  /** `lincir serve`, which can be observed. */
  static lincir(options: readonly string[], port: number): Promise<ServerProcess> {
    const observe = join(import.meta.dirname, 'observe.ts');
    const command = ['serve', '--host', '127.0.0.1', '--port', `${port}`, ...options];
    const child = fork(main, command, {
      execArgv: ['--import', observe],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    return ServerProcess.#ready(child, port, '/health/ready');
  }

  /** bench/peers/http_server.py with uvicorn. */
  static fastApi(environment: Readonly<Record<string, string>>, workers: number, port: number) {
    const options = ['-m', 'uvicorn', 'http_server:app', '--port', `${port}`, '--workers', `${workers}`];
    const child = python([...options, '--no-access-log', '--log-level', 'warning'], environment);
    return ServerProcess.#ready(child, port, '/ready');
  }

  /** bench/peers/clip_retrieval_service.py. */
  static clipRetrieval(environment: Readonly<Record<string, string>>, port: number) {
    const child = python(['clip_retrieval_service.py'], { ...environment, PORT: `${port}` });
    return ServerProcess.#ready(child, port, '/indices-list');
  }

  static async #ready(child: ChildProcess, port: number, path: string): Promise<ServerProcess> {
    const server = new ServerProcess(kept(child), `http://127.0.0.1:${port}`);
    const end = performance.now() + patience;
    while (performance.now() < end && child.exitCode === null) {
      const ready = await fetch(`${server.origin}${path}`).catch(() => undefined);
      await ready?.arrayBuffer();
      if (ready?.ok) return server;
      await sleep(100);
    }
    throw new Error(`the server at ${server.origin} did not get ready (exit code ${child.exitCode})`);
  }

  /** Since the last call. */
  async observe(): Promise<Observation> {
    this.child.send('observe');
    return await answerOf<Observation>(this.child);
  }

  /** Bytes of its resident memory, without its help. */
  residentNow(): number {
    const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
    return 1024 * Number(/VmRSS:\s+(\d+)/.exec(status)![1]);
  }

  /** Processor time of all its processes, which tells more than speed where others use the machine, too. */
  processorSeconds(): number {
    const ticksOf = (pid: string) => {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      return { parent: fields[1]!, ticks: Number(fields[11]) + Number(fields[12]) };
    };
    const processes = new Map<string, ReturnType<typeof ticksOf>>();
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        processes.set(pid, ticksOf(pid));
      } catch {
        // It has ended meanwhile.
      }
    }
    const ticks = (pid: string): number =>
      [...processes]
        .filter(([, { parent }]) => parent === pid)
        .reduce((sum, [child]) => sum + ticks(child), processes.get(pid)?.ticks ?? 0);
    return ticks(`${this.child.pid}`) / ticksPerSecond;
  }

  get runs(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async stop(): Promise<void> {
    if (!this.runs) return;
    this.child.kill('SIGTERM');
    await once(this.child, 'exit');
  }
}

function python(options: readonly string[], environment: Readonly<Record<string, string>>): ChildProcess {
  return spawn(process.env.PYTHON ?? 'python3', options, {
    cwd: join(import.meta.dirname, '../peers'),
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

function kept<Child extends ChildProcess>(child: Child): Child {
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

async function answerOf<Answer>(child: ChildProcess): Promise<Answer> {
  const settled = new AbortController();
  const { signal } = settled;
  const ended = once(child, 'exit', { signal }).then(() => {
    throw new Error(`a process ended before it answered (exit code ${child.exitCode}, ${child.signalCode})`);
  });
  try {
    const [answer] = await Promise.race([once(child, 'message', { signal }), ended]);
    return answer as Answer;
  } finally {
    ended.catch(() => {}); // it is aborted
    settled.abort();
  }
}
