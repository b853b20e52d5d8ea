/** Your own benchmarks: a folder with images, and queries on lines of a file. */

import { join, relative, resolve, sep } from 'node:path';
import { z } from 'zod';
import { LincirError, listOf, parseJson, quoted } from '../../core/index.ts';
import { fileLines, pathsOnDisk, statOf } from '../../files/index.ts';
import {
  type Benchmark,
  type BenchmarkImage,
  type BenchmarkKind,
  type BenchmarkQuery,
  type OpenBenchmarkOptions,
  type Ranking,
  relativePrompt,
} from '../benchmark.ts';
import { averagePrecisionNames, averagePrecisions, recallNames, recalls } from '../measures.ts';
import { parseAnnotations, pathWithin, protocolOf } from './annotations.ts';

const queriesFile = 'queries.jsonl';
const galleryFile = 'gallery.txt';
const picturesFolder = 'images';

const recallRanks = [1, 5, 10, 50];
const precisionRanks = [10];
const gallery = 'all';

/**
 * The folder has `queries.jsonl`, in UTF-8, where every line is a JSON object with these keys and no others:
 *
 * - `reference`: the query's image.
 * - `text`: what should be different, such as `is red`. It replaces `{text}` in `a photo of $ that {text}`. It is not a
 *   prompt: `$`, which means the image in prompts, is refused, except in a price such as `$100`; `\$` is a dollar sign.
 * - `targets`: all right answers, at least one.
 * - `candidates`, optional: the images to rank, with all targets among them. Without it, the gallery is ranked, without
 *   the reference unless that is a target.
 * - `id`, optional: a unique name. Default: the line's number, from 1.
 * - `groups`, optional: names by which results are broken down.
 *
 * Images are paths below the folder, such as `images/red/1.jpg`, and have these names in results. The gallery is what
 * `gallery.txt` lists, a path a line. Without this file, it is every image in and below `images`, except hidden files
 * and links. Empty lines are ignored in both files.
 *
 * R@k is 1 if a target is among the first k. mAP@10 is the precision at each target among the first 10, summed up and
 * divided by the number of targets or 10, whichever is less, as in CIRCO. Figures are means over all queries.
 */
export const custom: BenchmarkKind = {
  name: 'custom',
  description: 'Your own queries and images: a folder with queries.jsonl and images',
  splits: [],
  variants: [],
  parts: [],
  source:
    `yourself: ${queriesFile}, with {"reference": "${picturesFolder}/a.jpg", "text": "is red", "targets": ` +
    `["${picturesFolder}/b.jpg"]} on every line, and images in ${picturesFolder}/`,
  open,
};

async function open(folder: string, options: OpenBenchmarkOptions): Promise<Benchmark> {
  const { preset } = protocolOf(custom, options);
  const root = resolve(folder);
  const path = join(root, queriesFile);
  const lines = await readQueries(root, path);
  const hasGallery = lines.some(({ query }) => query.candidates === undefined);
  const members = new Set(hasGallery ? await readGallery(root) : []);
  const queries = lines.map((line) => {
    expectTargets(line, members);
    const { id, reference, text, targets, candidates, groups } = line.query;
    const isLeftOut = members.has(reference) && !targets.includes(reference);
    const ranked = candidates ? { candidates } : { gallery, exclude: isLeftOut ? [reference] : [] };
    return { id, reference, texts: [text], targets, groups, ...ranked };
  });
  const ids = new Set([
    ...members,
    ...queries.flatMap(({ reference, candidates = [] }) => [reference, ...candidates]),
  ]);
  const images = Array.from(ids, (id): BenchmarkImage => ({ id, path: join(root, id) }));
  return {
    name: custom.name,
    preset,
    folder: root,
    images,
    isUpright: true,
    galleries: hasGallery ? new Map([[gallery, [...members]]]) : new Map(),
    queries,
    prompt: relativePrompt,
    topK: Math.max(...recallRanks),
    metrics: [...recallNames(recallRanks), ...averagePrecisionNames(precisionRanks)],
    primaryMetric: 'R@1',
    mean: 'queries',
    score,
  };
}

const pathSchema = z.string('the path of an image').min(1, 'the path of an image');
const pathsSchema = listOf(pathSchema, 'paths of images').refine(
  (paths) => paths.length > 0,
  'paths of images',
);
const fields = {
  id: z.string('a name').min(1, 'a name').optional(),
  reference: pathSchema,
  text: z.string('a text').trim().min(1, 'a text'),
  targets: pathsSchema,
  candidates: pathsSchema.optional(),
  groups: listOf(z.string('a name').min(1, 'a name'), 'names').default([]),
};
const querySchema = z.strictObject(fields, `an object with no keys but ${Object.keys(fields).join(', ')}`);

interface Line {
  readonly subject: string;
  readonly query: z.output<typeof querySchema> & { readonly id: string };
}

/** Reads all queries, with their images as ids. */
async function readQueries(root: string, path: string): Promise<readonly Line[]> {
  const lines: Line[] = [];
  const seen = new Map<string, number>();
  const onDisk = pathsOnDisk();
  const { namesImages, plainText } = await import('../../composition/index.ts');
  for await (const [number, line] of filledLines(path)) {
    const subject = `${path}: line ${number}`;
    const query = parseAnnotations(parseJson(Buffer.from(line), subject), querySchema, subject);
    if (namesImages(query.text, 1)) {
      const expected = 'a text without $, which stands for the image in prompts; \\$ is a dollar sign';
      throw refusal(`${subject}: text`, expected, quoted(query.text));
    }
    const id = query.id ?? `${number}`;
    const earlier = seen.get(id);
    if (earlier !== undefined) {
      throw refusal(`${subject}: id`, 'every id once', `${quoted(id)}, as on line ${earlier}`);
    }
    seen.set(id, number);
    const idOf = (name: string, field: string) => pictureId(root, name, `${subject}: ${field}`, onDisk);
    const idsOf = async (names: readonly string[], field: string) => {
      const ids = new Set<string>();
      for (const name of names) {
        const picture = await idOf(name, field);
        if (ids.has(picture))
          throw refusal(`${subject}: ${field}`, 'every image once', `${quoted(picture)} twice`);
        ids.add(picture);
      }
      return [...ids];
    };
    const { reference, targets, candidates } = query;
    lines.push({
      subject,
      query: {
        ...query,
        id,
        text: plainText(query.text, 1),
        reference: await idOf(reference, 'reference'),
        targets: await idsOf(targets, 'targets'),
        ...(candidates && { candidates: await idsOf(candidates, 'candidates') }),
      },
    });
  }
  if (lines.length === 0) throw refusal(path, 'a query on every line', 'none');
  return lines;
}

async function readGallery(root: string): Promise<readonly string[]> {
  const list = join(root, galleryFile);
  const ids = new Map<string, number>();
  const onDisk = pathsOnDisk();
  if (!(await statOf(list))) return await walkedGallery(root);
  for await (const [number, name] of filledLines(list)) {
    const subject = `${list}: line ${number}`;
    const id = await pictureId(root, name, subject, onDisk);
    if (ids.has(id)) throw refusal(subject, 'every image once', `${quoted(id)}, as on line ${ids.get(id)}`);
    ids.set(id, number);
  }
  if (ids.size === 0) throw refusal(list, 'a path on every line', 'none');
  return [...ids.keys()];
}

async function walkedGallery(root: string): Promise<readonly string[]> {
  const folder = join(root, picturesFolder);
  if (!(await statOf(folder))) {
    throw new LincirError('not-found', {
      subject: root,
      expected: `${galleryFile} or a folder ${picturesFolder} in it`,
      found: 'neither',
      todo: 'put the images to rank in that folder, or give every query candidates',
    });
  }
  const { openSources } = await import('../../pictures/index.ts');
  const { pictures } = await openSources([folder], {
    onUnreadable: ({ path, reason }) => {
      throw refusal(path, 'images and folders that can be read', reason);
    },
  });
  const ids: string[] = [];
  for await (const { file } of pictures()) ids.push(slashed(relative(root, file)));
  if (ids.length === 0) throw refusal(folder, 'images in it', 'none');
  return ids;
}

function expectTargets({ subject, query }: Line, members: ReadonlySet<string>): void {
  const ranked = query.candidates ? new Set(query.candidates) : members;
  for (const target of query.targets) {
    if (ranked.has(target)) continue;
    const of = query.candidates ? 'candidates' : 'gallery';
    throw refusal(`${subject}: targets`, `images among the ${of}`, quoted(target));
  }
}

function score(
  { candidates, targets = [] }: BenchmarkQuery,
  ranking: Ranking,
): Readonly<Record<string, number>> {
  const found = (candidates ? ranking.candidates : ranking.gallery) ?? [];
  return {
    ...recalls(recallRanks, found.find((id) => targets.includes(id)) ?? '', found),
    ...averagePrecisions(precisionRanks, targets, found),
  };
}

/** The lines that are not empty, with their numbers from 1. */
async function* filledLines(path: string): AsyncGenerator<readonly [number, string], void, void> {
  let number = 0;
  for await (const line of fileLines(path)) {
    number += 1;
    if (line.trim() !== '') yield [number, line];
  }
}

/** The normalised path below the folder, in the disk's Unicode form. */
async function pictureId(
  root: string,
  name: string,
  subject: string,
  onDisk: ReturnType<typeof pathsOnDisk>,
): Promise<string> {
  const id = slashed(relative(root, await onDisk(pathWithin(root, name, subject))));
  if (id === '') throw refusal(subject, 'the path of an image', quoted(name));
  return id;
}

function slashed(path: string): string {
  return path.split(sep).join('/');
}

function refusal(subject: string, expected: string, found: string): LincirError {
  return new LincirError('bad-file', { subject, expected, found });
}
