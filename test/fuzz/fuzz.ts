/** Reads mutated files by all readers, in processes that may touch nothing but folders of their own. */
// npm run fuzz -- [files in all, 1000000] [--readers NAME,…] [--seed NUMBER] [--jobs NUMBER]
// What fails is kept in test/fixtures/corrupt, and replayed by the tests.

import { fork } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { patience } from './judge.ts';
import { mutated } from './mutations.ts';
import { corruptFolder, makeTargets } from './readers.ts';
import { placeFile, type Told, type Work } from './worker.ts';

export interface Finding {
  readonly name: string;
  readonly index: number;
  readonly reason: string;
}

export interface Fuzzed {
  readonly findings: readonly Finding[];
  /** The largest process, in bytes. */
  readonly peak: number;
}

const root = join(import.meta.dirname, '../..');

/** Reads `count` files by each of the readers, going on after those that end or stop the process. */
export async function fuzz(names: readonly string[], count: number, seed: number): Promise<Fuzzed> {
  const findings: Finding[] = [];
  let peak = 0;
  let left = names;
  let from = 0;
  while (left.length > 0) {
    const box = await mkdtemp(join(tmpdir(), 'lincir-fuzz-'));
    const folder = join(box, 'inside');
    await mkdir(folder);
    await writeFile(join(box, 'canary'), 'alive');
    const end = await ended({ folder, names: left, from, count, seed }, (told) => {
      if (told.kind === 'finding') findings.push(told);
      else peak = Math.max(peak, told.peak);
    });
    const at = await placeIn(folder);
    if (at === undefined) throw new Error(`${left[0]} did not begin: ${end}`);
    const [name, index] = [left[at.reader]!, at.index];
    const canary = await readFile(join(box, 'canary'), 'utf8').catch(() => 'gone');
    if (canary !== 'alive' || (await readdir(box)).length !== 2) {
      findings.push({ name, index, reason: `changed ${box}, outside of its folder` });
    }
    await rm(box, { recursive: true });
    if (end === undefined) break;
    findings.push({ name, index, reason: end });
    left = left.slice(left.indexOf(name));
    from = index + 1;
  }
  return { findings, peak };
}

/** What a worker is at. */
async function placeIn(
  folder: string,
): Promise<{ readonly reader: number; readonly index: number } | undefined> {
  const bytes = await readFile(join(folder, placeFile)).catch(() => Buffer.alloc(0));
  return bytes.length < 8 ? undefined : { reader: bytes.readUInt32LE(0), index: bytes.readUInt32LE(4) };
}

/** How a worker ended that should not have; undefined for one that has done its work. */
async function ended(work: Work, onTold: (told: Told) => void): Promise<string | undefined> {
  const readable = [root, await realpath(join(root, 'node_modules')), '/proc', work.folder];
  const worker = fork(join(import.meta.dirname, 'worker.ts'), [JSON.stringify(work)], {
    env: { ...process.env, TMPDIR: work.folder },
    execArgv: [
      ...[
        '--permission',
        '--allow-addons',
        '--allow-worker',
        '--allow-child-process',
        `--allow-fs-write=${work.folder}`,
      ],
      ...readable.map((path) => `--allow-fs-read=${path}`),
    ],
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
  let errors = '';
  worker.stderr?.on('data', (text) => {
    errors = `${errors}${text}`.slice(-600);
  });
  let isLate = false;
  const late = () => {
    isLate = true;
    worker.kill('SIGKILL');
  };
  worker.on('message', onTold);
  let [before, since] = ['', performance.now()];
  const timer = setInterval(async () => {
    const place = await placeIn(work.folder);
    const now = JSON.stringify(place);
    if (now !== before) [before, since] = [now, performance.now()];
    else if (performance.now() - since > (place ? patience : 120_000)) late();
  }, 1000);
  return await new Promise((resolve) => {
    worker.on('close', (code, signal) => {
      clearInterval(timer);
      if (isLate) resolve(`took more than ${patience} ms`);
      else resolve(code === 0 ? undefined : `ended its process by ${signal ?? code}: ${errors}`);
    });
  });
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      readers: { type: 'string' },
      seed: { type: 'string', default: '1' },
      jobs: { type: 'string', default: '2' },
    },
  });
  const seed = Number(values.seed);
  const box = await mkdtemp(join(tmpdir(), 'lincir-fuzz-'));
  const targets = await makeTargets(box);
  const names = values.readers?.split(',') ?? [...targets.keys()];
  const shareOf = (name: string) => targets.get(name)?.share ?? 1;
  const shares = names.reduce((sum, name) => sum + shareOf(name), 0);
  const countOf = (name: string) => Math.ceil((Number(positionals[0] ?? 1_000_000) / shares) * shareOf(name));
  const begin = performance.now();
  let found = 0;
  let peak = 0;
  const left = [...names];
  const work = async (): Promise<void> => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      const count = countOf(name);
      const start = performance.now();
      const { findings, peak: own } = await fuzz([name], count, seed);
      found += findings.length;
      peak = Math.max(peak, own);
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      const mebibytes = Math.round(own / 2 ** 20);
      console.log(`${name}: ${count} files, ${findings.length} findings, ${seconds} s, ${mebibytes} MiB`);
      for (const { index, reason } of findings.slice(0, 5)) {
        console.log(`  ${index}: ${reason}`);
        const bytes = mutated(targets.get(name)!, name, seed, index);
        await writeFile(join(corruptFolder, `${name}-${seed}-${index}.bin`), bytes);
      }
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, work));
  await rm(box, { recursive: true });
  const minutes = ((performance.now() - begin) / 60_000).toFixed(1);
  console.log(
    `${names.reduce((sum, name) => sum + countOf(name), 0)} files by ${names.length} readers: ${found} findings, ${minutes} minutes, ` +
      `${Math.round(peak / 2 ** 20)} MiB at most`,
  );
  process.exitCode = found > 0 ? 1 : 0;
}
