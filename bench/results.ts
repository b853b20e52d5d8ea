/** Writes down what was measured and where, in bench/results. */

import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';

/** The machine as far as it matters for a figure. */
export function machine() {
  return {
    processor: cpus()[0]?.model,
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform}-${process.arch}`,
    node: process.version,
  };
}

export async function saveResult(name: string, result: object): Promise<void> {
  const folder = join(import.meta.dirname, 'results');
  await mkdir(folder, { recursive: true });
  const dated = { date: new Date().toISOString().slice(0, 10), ...result };
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify(dated, null, 2)}\n`);
}

/** Four significant digits: more would be noise. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
