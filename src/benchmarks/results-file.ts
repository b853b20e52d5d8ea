/** Reads and writes results: `results.json`, and the rankings of each method, a query a line. */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { precisionOf } from '../clip/index.ts';
import { LincirError, listOf, option, quoted, recordOf } from '../core/index.ts';
import { batched, makeFolder, readJsonFile, writeFileAtomically } from '../files/index.ts';
import { precisions } from '../onnx/index.ts';
import type { Evaluation } from './evaluate.ts';
import { parseAnnotations } from './kinds/annotations.ts';
import { rankingLine } from './predictions.ts';
import type { Results } from './results.ts';

/** Limit in bytes: several times the results of eight methods on the largest benchmark. */
const resultsLimit = 2 ** 28;
const resultsFile = 'results.json';

/**
 * Refuses a folder with the results of another run, or with rankings by other methods, which would mix with the new ones.
 * Files of a run that ended before its `results.json` are overwritten. Throws 'bad-argument'.
 */
export async function expectRoomForResults(folder: string, methods: Iterable<string>): Promise<void> {
  const own = new Set(Array.from(methods, rankingsFile));
  const present = await readdir(folder).catch(() => []);
  const other = present.find(
    (name) => name === resultsFile || (/^rankings-.*\.jsonl$/.test(name) && !own.has(name)),
  );
  if (other === undefined) return;
  throw new LincirError('bad-argument', {
    subject: option<{ readonly folder: string }>('folder', folder),
    expected: 'a folder without results',
    found: other,
    todo: `choose another ${option<{ readonly folder: string }>('folder')}, or remove what is there`,
  });
}

/**
 * Writes rankings, then results, to a folder, which is made if it is missing. If `results.json` is there, all is complete.
 * Throws LincirError 'io'.
 */
export async function writeEvaluation(folder: string, { results, rankings }: Evaluation): Promise<void> {
  await makeFolder(folder);
  for (const [method, ranked] of rankings) {
    async function* lines() {
      for (const [query, ranking] of ranked) yield `${rankingLine(query, ranking)}\n`;
    }
    await writeFileAtomically(join(folder, rankingsFile(method)), async (file) => {
      for await (const some of batched(lines())) await file.writeFile(some);
    });
  }
  await writeResults(join(folder, resultsFile), results);
}

function rankingsFile(method: string): string {
  return `rankings-${method}.jsonl`;
}

/** Throws LincirError 'io'. */
export async function writeResults(path: string, results: Results): Promise<void> {
  await writeFileAtomically(path, (file) => file.writeFile(`${JSON.stringify(results)}\n`));
}

/** Reads `results.json`. Throws LincirError 'not-found', 'io' and 'bad-file' naming the field. */
export async function readResults(path: string): Promise<Results> {
  const results = parseAnnotations(
    await readJsonFile(path, resultsLimit),
    resultsSchema,
    path,
    'give a results.json of lincir eval or score',
  );
  const { queries, groupOf, mean, methods, metrics, primaryMetric } = results;
  const refuse = (subject: string, expected: string, found: string) =>
    new LincirError('bad-file', { subject: `${path}: ${subject}`, expected, found });
  if (mean === 'groups' && groupOf?.length !== queries.length) {
    throw refuse('groupOf', `the groups of ${queries.length} queries`, `${groupOf?.length ?? 0}`);
  }
  if (!metrics.includes(primaryMetric))
    throw refuse('primaryMetric', `one of ${quoted(metrics)}`, quoted(primaryMetric));
  const groups = Object.keys(methods[0]!.groups);
  for (const { name, perQuery, figures, differences, ...method } of methods) {
    for (const metric of metrics) {
      const values = perQuery[metric]?.length ?? 0;
      if (values !== queries.length) {
        throw refuse(`${name}, ${metric}`, `values of ${queries.length} queries`, `${values}`);
      }
      if (figures[metric] === undefined) throw refuse(name, `a figure for ${metric}`, 'none');
    }
    if (name !== methods[0]!.name && differences?.[primaryMetric] === undefined) {
      throw refuse(name, `a difference in ${primaryMetric}`, 'none');
    }
    const tables = [
      ...groups.map((group) => method.groups[group]?.values),
      ...(method.wordings ?? []).map(({ values }) => values),
    ];
    if (tables.some((values) => values?.[primaryMetric] === undefined)) {
      throw refuse(name, `${primaryMetric} of each group and wording`, 'none of some');
    }
  }
  return results as Results;
}

const figure = z.object({ value: z.number(), low: z.number(), high: z.number() });
const prompt = z.object({ composed: z.string(), text: z.string() });
const values = recordOf(z.number());

/** Names in older versions, by their current names. */
function renamed(results: unknown): unknown {
  if (typeof results !== 'object' || results === null || !('decisive' in results)) return results;
  const { decisive, ...others } = results;
  return { primaryMetric: decisive, ...others };
}

const model = z
  .object({
    name: z.string(),
    fingerprint: z.string(),
    targetPad: z.number().nullable(),
    precision: z.enum(precisions).optional(),
  })
  // Older versions say it by the fingerprint alone.
  .transform(({ precision, ...others }) => {
    return { ...others, precision: precision ?? precisionOf(others.fingerprint) ?? ('float32' as const) };
  });

const resultsFields = z.object({
  version: z.literal(1),
  benchmark: z.string(),
  preset: z.string(),
  options: recordOf(z.unknown()),
  folder: z.string(),
  sha256: z.string(),
  limit: z.int().nullable(),
  images: z.int(),
  queries: listOf(z.string()),
  metrics: listOf(z.string()),
  primaryMetric: z.string(),
  mean: z.enum(['queries', 'groups']),
  groupOf: listOf(z.string()).optional(),
  model: model.optional(),
  methods: listOf(
    z.object({
      name: z.string(),
      settings: recordOf(z.union([z.string(), z.number(), z.boolean(), z.null()])),
      prompt,
      figures: recordOf(figure),
      differences: recordOf(figure.extend({ p: z.number() })).optional(),
      groups: recordOf(z.object({ queries: z.int(), values })),
      perQuery: recordOf(listOf(z.number())),
      wordings: listOf(z.object({ prompt, values })).optional(),
    }),
  ).refine((methods) => methods.length > 0, 'at least one method'),
  seconds: values,
  versions: recordOf(z.string()),
  date: z.string(),
});
const resultsSchema = z.preprocess(renamed, resultsFields);
