/** `lincir compare`: shows two results side by side. */

import { join } from 'node:path';
import { compareResults, readResults } from '../../benchmarks/index.ts';
import { statOf } from '../../files/index.ts';
import type { Context } from '../context.ts';
import { comparisonTable } from '../evaluation/table.ts';

export async function compare(
  a: string,
  b: string,
  { json }: { readonly json?: boolean },
  { print }: Context,
): Promise<void> {
  const [first, second] = [await readResults(await resultsFile(a)), await readResults(await resultsFile(b))];
  const comparison = compareResults(first, second);
  if (json) print(JSON.stringify(comparison));
  else for (const line of comparisonTable(comparison, [first, second])) print(line);
}

async function resultsFile(path: string): Promise<string> {
  return (await statOf(path))?.isDirectory() ? join(path, 'results.json') : path;
}
