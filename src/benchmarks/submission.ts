/** Writes a benchmark's official files of predictions, after checking them by the server's rules. */

import { join } from 'node:path';
import { LincirError } from '../core/index.ts';
import { makeFolder, writeFileAtomically } from '../files/index.ts';
import type { Benchmark, BenchmarkKind } from './benchmark.ts';
import type { Rankings } from './evaluate.ts';

/**
 * Writes a method's predictions.
 * @returns the files' paths
 * @throws LincirError 'bad-argument' for a benchmark without such a format, 'bad-file' for rankings that the server would
 *   refuse, 'io'
 */
export async function writeSubmission(
  folder: string,
  kind: BenchmarkKind,
  benchmark: Benchmark,
  method: string,
  rankings: Rankings,
): Promise<string[]> {
  if (kind.predictions === undefined) {
    throw new LincirError('bad-argument', {
      subject: kind.name,
      expected: 'a benchmark with an official format of submissions',
      found: 'one without',
    });
  }
  const { files, write, read } = kind.predictions;
  await makeFolder(folder);
  // A part's file is written only if that part was opened.
  const asked = Object.keys(files).filter(
    (file) => !kind.parts.includes(file) || benchmark.galleries.has(file),
  );
  const written: string[] = [];
  for (const file of asked) {
    const name = [...benchmark.preset.split(', ')[0]!.split(' '), file, method]
      .filter((part) => part !== '')
      .join('-');
    const path = join(folder, `${name}.json`);
    const json = write(file, benchmark, rankings);
    read(JSON.parse(JSON.stringify(json)), benchmark, path);
    await writeFileAtomically(path, (opened) => opened.writeFile(`${JSON.stringify(json)}\n`));
    written.push(path);
  }
  return written;
}
