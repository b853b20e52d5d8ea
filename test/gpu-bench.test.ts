/** bench/gpu.ts, which waits for a GPU, runs on any device: here with tiny models on the CPU. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

interface Report {
  results: Record<string, { readonly error?: string; readonly secondsPerStep?: number }>;
  readonly summary: Record<string, { readonly share: number; readonly minutesFor20000Steps?: number }>;
}

test('all is measured and kept, and a second run does what is left', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-gpu-bench-'));
  const out = join(folder, 'gpu.json');
  const program = join(import.meta.dirname, '../bench/gpu.ts');
  const run = async (): Promise<{ stdout: string; report: Report }> => {
    const env = { ...process.env, TMPDIR: folder, PYTHON: join(folder, 'no-python') };
    const words = [program, '--quick', '--device', 'cpu', '--out', out];
    const { stdout } = await promisify(execFile)(process.execPath, words, { env });
    return { stdout, report: JSON.parse(await readFile(out, 'utf8')) };
  };
  try {
    const { report } = await run();
    const failed = Object.entries(report.results).filter(([, { error }]) => error !== undefined);
    assert.deepEqual(
      failed.map(([name]) => name),
      ['torch images, base, cpu, bfloat16'], // There is no such Python.
    );
    const training = 'training, giga, first epoch, cpu, float32';
    const { share, minutesFor20000Steps } = report.summary[training]!;
    assert.ok(share > 0 && minutesFor20000Steps! > 0);
    assert.ok(report.summary['images, base, cpu, float32']!.share > 0);

    delete report.results[training];
    await writeFile(out, JSON.stringify(report));
    const again = await run();
    const measured = again.stdout.match(/^\S.*(?= \(\d+ s\))/gm);
    assert.deepEqual(measured, [training, 'torch images, base, cpu, bfloat16']);
    assert.ok(again.report.results[training]!.secondsPerStep! > 0);
  } finally {
    await rm(folder, { recursive: true });
  }
});
