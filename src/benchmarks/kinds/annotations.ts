/** Reads annotations: JSON that must fit its benchmark's schema, ids that are unique, paths that stay in their folder. */

import { join, normalize, sep } from 'node:path';
import type { z } from 'zod';
import { checkedValue, LincirError, nameKey, option, quoted } from '../../core/index.ts';
import { readJsonFile } from '../../files/index.ts';
import type { BenchmarkImage, BenchmarkKind, BenchmarkQuery, OpenBenchmarkOptions } from '../benchmark.ts';

/** Limit of a file in bytes: some ten times COCO's largest file of annotations. */
const annotationLimit = 2 ** 29;

/**
 * Reads a file of annotations.
 * @throws LincirError 'not-found' and 'io'; 'bad-file' naming the file and the field that does not fit `schema`
 */
export async function readAnnotations<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<z.output<Schema>> {
  return parseAnnotations(composed(await readJsonFile(path, annotationLimit)), schema, path);
}

/** JSON with all names in one Unicode form, because the files of one benchmark may have several. */
export function composed(value: unknown): unknown {
  if (typeof value === 'string') return nameKey(value);
  if (Array.isArray(value)) return typeof value[0] === 'number' ? value : value.map(composed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [nameKey(name), composed(inner)]));
}

/** Checks JSON that was read already; `subject` names it. */
export function parseAnnotations<Schema extends z.ZodType>(
  json: unknown,
  schema: Schema,
  subject: string,
  todo = 'check that it is the file of this benchmark, split and version',
): z.output<Schema> {
  return checkedValue(schema, json, subject, todo);
}

const longestPath = 4096;

/** The path of an image that data names. Throws 'bad-file' if it leaves the folder. */
export function pathWithin(folder: string, name: string, subject: string): string {
  // No system takes longer paths, and normalising thousands of `../..` would take quadratic time.
  const inner = name.length > longestPath ? '..' : normalize(name);
  const leaves =
    inner === '..' || inner.startsWith(`..${sep}`) || inner.startsWith(sep) || /^[a-z]:/i.test(inner);
  if (!leaves && !name.includes('\0')) return join(folder, inner);
  throw new LincirError('bad-file', {
    subject,
    expected: 'a path within the folder of the data',
    found: quoted(name),
  });
}

/** Throws 'bad-file' unless the number is the published one, or any number is accepted. */
export function expectCount(
  subject: string,
  what: string,
  found: number,
  published: number | undefined,
  { anyVersion = false }: OpenBenchmarkOptions,
): void {
  if (anyVersion || published === undefined || found === published) return;
  throw new LincirError('bad-file', {
    subject,
    expected: `${published} ${what}, as published`,
    found: `${found}`,
    todo: `get the published file, or score this one as another version with ${option<OpenBenchmarkOptions>('anyVersion')}`,
  });
}

/**
 * Throws 'bad-file' naming the query, for an id that occurs twice, an image that is not in `images`, a target that is not
 * ranked for it, or a target that occurs twice.
 * @param subject the file or folder of the queries
 */
export function expectConsistent(
  subject: string,
  {
    images,
    galleries,
    queries,
  }: {
    readonly images: readonly BenchmarkImage[];
    readonly galleries: ReadonlyMap<string, readonly string[]>;
    readonly queries: readonly BenchmarkQuery[];
  },
): void {
  const refuse = (where: string, expected: string, found: string): LincirError =>
    new LincirError('bad-file', { subject: `${subject}: ${where}`, expected, found: quoted(found) });
  const known = uniqueIds(
    images.map(({ id }) => id),
    (id) => refuse('images', 'every id once', `${id} twice`),
  );
  const members = new Map<string, ReadonlySet<string>>();
  for (const [name, ids] of galleries) {
    members.set(
      name,
      uniqueIds(ids, (id) => refuse(`gallery ${name}`, 'every id once', `${id} twice`)),
    );
    for (const id of ids) if (!known.has(id)) throw refuse(`gallery ${name}`, 'images that are there', id);
  }
  uniqueIds(
    queries.map(({ id }) => id),
    (id) => refuse(`query ${id}`, 'every id once', `${id} twice`),
  );
  for (const { id, reference, gallery, candidates, targets, exclude = [] } of queries) {
    const where = `query ${id}`;
    if (!known.has(reference)) throw refuse(where, 'a reference among the images', reference);
    const listed =
      candidates && uniqueIds(candidates, (twice) => refuse(where, 'every candidate once', `${twice} twice`));
    for (const candidate of candidates ?? []) {
      if (!known.has(candidate)) throw refuse(where, 'candidates among the images', candidate);
    }
    if (targets === undefined) continue;
    uniqueIds(targets, (twice) => refuse(where, 'every target once', `${twice} twice`));
    const ranked = gallery === undefined ? listed : members.get(gallery);
    for (const target of targets) {
      if (ranked?.has(target) && !exclude.includes(target)) continue;
      throw refuse(where, 'targets among the images that are ranked', target);
    }
  }
}

function uniqueIds(ids: readonly string[], repeated: (id: string) => LincirError): ReadonlySet<string> {
  const seen = new Set<string>();
  for (const id of ids) {
    if (seen.has(id)) throw repeated(id);
    seen.add(id);
  }
  return seen;
}

/** Which part of a benchmark is opened. */
interface Protocol {
  /** Empty if the benchmark has no splits. */
  readonly split: string;
  readonly variant: string | undefined;
  /** In the benchmark's order. */
  readonly parts: readonly string[];
  /** Its name in reports. */
  readonly preset: string;
}

/** Checks options. Throws 'bad-argument' for a split, variant or part that the benchmark does not have. */
export function protocolOf(
  { name, splits, variants, parts }: Pick<BenchmarkKind, 'name' | 'splits' | 'variants' | 'parts'>,
  { split, variant, only, anyVersion }: OpenBenchmarkOptions,
): Protocol {
  const ofSplit =
    split === undefined ? (splits[0] ?? '') : chosen(option<OpenBenchmarkOptions>('split'), split, splits);
  if (variant !== undefined) chosen(option<OpenBenchmarkOptions>('variant'), variant, variants);
  for (const part of only ?? []) chosen(option<OpenBenchmarkOptions>('only'), part, parts);
  const wanted = parts.filter((part) => only?.includes(part) ?? true);
  if (only?.length === 0) {
    throw new LincirError('bad-argument', {
      subject: option<OpenBenchmarkOptions>('only'),
      expected: `some of ${parts.join(', ')}`,
      found: 'none',
    });
  }
  const preset = [
    `${name} ${ofSplit}`.trim(),
    ...(variant === undefined ? [] : [variant]),
    ...(only === undefined ? [] : [`only ${wanted.join(', ')}`]),
    ...(anyVersion ? ['any version'] : []),
  ];
  return { split: ofSplit, variant, parts: wanted, preset: preset.join(', ') };
}

/** Throws 'bad-argument' for a value that is not among the choices. */
export function chosen(subject: string, value: string, choices: readonly string[]): string {
  if (choices.includes(value)) return value;
  throw new LincirError('bad-argument', {
    subject,
    expected: choices.length === 0 ? 'nothing, there is no choice' : choices.join(', '),
    found: quoted(value),
  });
}
