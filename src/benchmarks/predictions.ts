/** Files of predictions: the common part of official submissions, and our own format, which fits every benchmark. */

import { z } from 'zod';
import { LincirError, listOf, parseJson, quoted, shortJson } from '../core/index.ts';
import { fileLines } from '../files/index.ts';
import type { Benchmark, BenchmarkQuery, Ranking } from './benchmark.ts';

/** The part of every query's ranking that an official file has. */
export interface PredictedList {
  readonly list: keyof Ranking;
  /** Number of ids: exactly so many, or all that are ranked for the query if these are fewer. */
  readonly length: number;
  /** How the file's JSON writes ids. */
  readonly ids: 'strings' | 'integers';
}

/**
 * The lists of a submission, by query id.
 * @param name the submission's name in messages
 * @throws LincirError 'bad-file' naming the query, for rankings that `readLists` would refuse
 */
export function writeLists(
  name: string,
  benchmark: Benchmark,
  rankings: ReadonlyMap<string, Ranking>,
  predicted: PredictedList,
): Readonly<Record<string, readonly (string | number)[]>> {
  const { list, length, ids } = predicted;
  const lists = Object.fromEntries(
    [...rankings].map(([id, ranking]) => {
      const first = (ranking[list] ?? []).slice(0, length);
      return [id, ids === 'integers' ? first.map(Number) : first];
    }),
  );
  readLists(lists, benchmark, name, predicted);
  return lists;
}

/**
 * Reads rankings from a submission's lists by query id, and returns them in the benchmark's order.
 * @param subject the file's name, for messages
 * @throws LincirError 'bad-file' naming the query, if it is missing or unknown, its list is not a list of such ids or has
 *   the wrong length, or an id occurs twice or is not ranked for the query
 */
export function readLists(
  lists: Readonly<Record<string, unknown>>,
  benchmark: Benchmark,
  subject: string,
  { list, length, ids: form }: PredictedList,
): ReadonlyMap<string, Ranking> {
  const rankings = new Map<string, Ranking>();
  const rankedFor = rankedPictures(benchmark);
  const given = new Map(Object.entries(lists));
  for (const query of benchmark.queries) {
    const refuse = refusing(`${subject}: query ${query.id}`);
    const value = given.get(query.id);
    if (value === undefined) throw refuse('a list of ids', 'none', 'predict every query of the split');
    if (!Array.isArray(value)) throw refuse('a list of ids', quoted(shortJson(value)));
    const ranked = rankedFor(query, list);
    const wanted = Math.min(length, ranked.count);
    if (value.length !== wanted) throw refuse(`${wanted} ids`, `${value.length}`);
    const ids = value.map((id: unknown) => {
      if (form === 'integers' ? Number.isSafeInteger(id) : typeof id === 'string') return String(id);
      throw refuse(`ids that are ${form}`, quoted(shortJson(id)));
    });
    expectRanked(ids, ranked, refuse);
    rankings.set(query.id, { [list]: ids });
  }
  const unknown = [...given.keys()].find((id) => !rankings.has(id));
  if (unknown === undefined) return rankings;
  throw refusing(`${subject}: query ${quoted(unknown)}`)(...unknownQuery(benchmark));
}

/** The JSON of a submission, an object. Throws 'bad-file' for anything else. */
export function submissionFields(json: unknown, subject: string): Readonly<Record<string, unknown>> {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return { ...json };
  throw refusing(subject)('an object with a list for every query', quoted(shortJson(json)));
}

/** A ranking as a line of our own format, without the line end. */
export function rankingLine(queryId: string, { gallery, candidates }: Ranking): string {
  return JSON.stringify({ query: queryId, gallery, candidates });
}

/**
 * Reads rankings from a file of our own format: a line of JSON for each query, {"query": id, "gallery": [ids],
 * "candidates": [ids]}, with the lists that the benchmark ranks for the query. Lists may be shorter.
 * @returns rankings by query id, in the benchmark's order
 * @throws LincirError 'not-found' and 'io'; 'bad-file' naming line and query, if the line does not fit, the query is
 *   unknown, missing or repeated, a list is missing or not ranked for the query, or an id occurs twice or is not ranked for
 *   the query
 */
export async function readRankings(
  path: string,
  benchmark: Benchmark,
): Promise<ReadonlyMap<string, Ranking>> {
  const queries = new Map(benchmark.queries.map((query) => [query.id, query]));
  const rankedFor = rankedPictures(benchmark);
  const found = new Map<string, Ranking>();
  let number = 0;
  for await (const line of fileLines(path)) {
    number += 1;
    const place = `${path}: line ${number}`;
    const parsed = lineSchema.safeParse(parseJson(Buffer.from(line), place));
    if (!parsed.success) {
      throw refusing(place)('{"query": id, "gallery": [ids], "candidates": [ids]}', quoted(line));
    }
    const { query: id, ...lists } = parsed.data;
    const refuse = refusing(`${place}: query ${quoted(id)}`);
    const query = queries.get(id);
    if (query === undefined) throw refuse(...unknownQuery(benchmark));
    if (found.has(id)) throw refuse('every query once', 'it twice');
    for (const list of ['gallery', 'candidates'] as const) {
      const ids = lists[list];
      if (query[list] !== undefined && ids === undefined) throw refuse(`a list "${list}"`, 'none');
      if (query[list] === undefined && ids !== undefined) throw refuse(`no list "${list}"`, 'one');
      expectRanked(ids ?? [], rankedFor(query, list), refuse);
    }
    const { gallery, candidates } = lists;
    found.set(id, { ...(gallery && { gallery }), ...(candidates && { candidates }) });
  }
  return new Map(
    benchmark.queries.map(({ id }) => {
      const ranking = found.get(id);
      if (ranking !== undefined) return [id, ranking];
      throw refusing(`${path}: query ${quoted(id)}`)('a line', 'none', 'rank every query of the split');
    }),
  );
}

const lineSchema = z.strictObject({
  query: z.string(),
  gallery: listOf(z.string()).optional(),
  candidates: listOf(z.string()).optional(),
});

type Refuse = (expected: string, found: string, todo?: string) => LincirError;

function refusing(subject: string): Refuse {
  return (expected, found, todo) => new LincirError('bad-file', { subject, expected, found, todo });
}

function unknownQuery({ preset }: Benchmark): Parameters<Refuse> {
  return [`a query of ${preset}`, 'none of this id', 'check that the predictions are of this split'];
}

/** The images of one of a query's lists. */
interface RankedPictures {
  readonly name: string;
  readonly ids: ReadonlySet<string>;
  readonly exclude: readonly string[];
  /** Of `ids` without `exclude`. */
  readonly count: number;
}

/** Cached, because galleries are large, and many queries share one. */
function rankedPictures({
  galleries,
}: Benchmark): (query: BenchmarkQuery, list: keyof Ranking) => RankedPictures {
  const sets = new Map([...galleries].map(([name, ids]) => [name, new Set(ids)]));
  return ({ gallery = '', candidates = [], exclude = [] }, list) => {
    if (list === 'candidates') {
      return { name: 'its candidates', ids: new Set(candidates), exclude: [], count: candidates.length };
    }
    const ids = sets.get(gallery) ?? new Set();
    const count = ids.size - [...new Set(exclude)].filter((id) => ids.has(id)).length;
    return { name: `gallery ${gallery}`, ids, exclude, count };
  };
}

function expectRanked(ids: readonly string[], ranked: RankedPictures, refuse: Refuse): void {
  const seen = new Set<string>();
  for (const id of ids) {
    if (seen.has(id)) throw refuse('every id once', `${quoted(id)} twice`);
    seen.add(id);
    if (!ranked.ids.has(id)) throw refuse(`images of ${ranked.name}`, quoted(id));
    if (ranked.exclude.includes(id)) throw refuse('none of the images that it leaves out', quoted(id));
  }
}
