/** FashionIQ (Wu et al., CVPR 2021): clothes that differ from an image as two captions say, in three catalogues. */

import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { LincirError, listOf, nameKey, shortJson } from '../../core/index.ts';
import {
  type Benchmark,
  type BenchmarkImage,
  type BenchmarkKind,
  type BenchmarkQuery,
  type OpenBenchmarkOptions,
  type PredictionFormat,
  type Ranking,
  relativePrompt,
} from '../benchmark.ts';
import { recallNames, recalls } from '../measures.ts';
import { type PredictedList, readLists, writeLists } from '../predictions.ts';
import {
  chosen,
  expectConsistent,
  expectCount,
  parseAnnotations,
  pathWithin,
  protocolOf,
  readAnnotations,
} from './annotations.ts';

const published: Readonly<Record<string, { readonly queries: number; readonly pictures: number }>> = {
  dress: { queries: 2017, pictures: 3817 },
  shirt: { queries: 2038, pictures: 6346 },
  toptee: { queries: 1961, pictures: 5373 },
};
const categories = Object.keys(published);
const cuts = [10, 50];
const topK = 50;

/** Predictions repeat both captions as written, which `texts` no longer has. */
interface CaptionedQuery extends BenchmarkQuery {
  readonly captions: readonly string[];
}

const captionsSchema = listOf(
  z.object({ candidate: z.string(), target: z.string(), captions: z.tuple([z.string(), z.string()]) }),
);
const splitSchema = listOf(z.string());
const predictionsSchema = listOf(
  z.object({ candidate: z.string(), captions: listOf(z.string()), ranking: listOf(z.string()) }),
);

const predicted: PredictedList = { list: 'gallery', length: topK, ids: 'strings' };

/**
 * The files of the challenge, one for each category: its annotations in order and without their targets, each with the
 * ids of at least 50 images of the category, the best first. Only the first 50 count. A file's category is that of its
 * first annotation.
 */
const predictions: PredictionFormat = {
  files: Object.fromEntries(categories.map((category) => [category, predicted.list])),
  write: (file, benchmark, rankings) => {
    const queries = queriesOf(benchmark, chosen('file of predictions', file, categories));
    const own = new Map(queries.map(({ id }) => [id, rankings.get(id) ?? {}]));
    const lists = writeLists(`${benchmark.preset}: ${file}`, { ...benchmark, queries }, own, predicted);
    return queries.map(({ id, reference, captions }) => ({
      candidate: reference,
      captions,
      ranking: lists[id],
    }));
  },
  read: readPredictions,
};

export const fashioniq: BenchmarkKind = {
  name: 'fashioniq',
  description: 'FashionIQ: dresses, shirts and tops that differ from an image as two captions say',
  splits: ['val'],
  variants: [],
  parts: categories,
  source:
    'captions/cap.{dress,shirt,toptee}.val.json and image_splits/split.{dress,shirt,toptee}.val.json of ' +
    'https://github.com/XiaoxiaoGuo/fashion-iq, and the images, from https://github.com/hongwang600/fashion-iq-metadata, ' +
    'as images/ID.png or images/ID.jpg',
  open,
  predictions,
};

async function open(folder: string, options: OpenBenchmarkOptions): Promise<Benchmark> {
  const { split, parts, preset } = protocolOf(fashioniq, options);
  const root = resolve(folder);
  const pictures = join(root, 'images');
  // The check of all images will report missing ones.
  const present = new Set((await readdir(pictures).catch(() => [])).map(nameKey));
  const fileOf = (id: string): string =>
    ['png', 'jpg', 'jpeg'].map((ending) => `${id}.${ending}`).find((name) => present.has(nameKey(name))) ??
    `${id}.png`;

  const images = new Map<string, BenchmarkImage>();
  const galleries = new Map<string, readonly string[]>();
  const queries: CaptionedQuery[] = [];
  for (const category of parts) {
    const splitFile = join(root, 'image_splits', `split.${category}.${split}.json`);
    const ids = await readAnnotations(splitFile, splitSchema);
    expectCount(splitFile, 'images', ids.length, published[category]?.pictures, options);
    galleries.set(category, ids);
    for (const id of ids) images.set(id, { id, path: pathWithin(pictures, fileOf(id), splitFile) });

    const captionFile = join(root, 'captions', `cap.${category}.${split}.json`);
    const annotations = await readAnnotations(captionFile, captionsSchema);
    expectCount(captionFile, 'queries', annotations.length, published[category]?.queries, options);
    for (const [index, { candidate, target, captions }] of annotations.entries()) {
      // An empty caption stays: published results also asked `a photo of $ that and is grey` for it.
      const [one, other] = captions.map(stripped);
      queries.push({
        id: `${category}/${index}`,
        reference: candidate,
        texts: [`${one} and ${other}`, `${other} and ${one}`],
        gallery: category,
        targets: [target],
        groups: [category],
        captions,
      });
    }
  }
  const benchmark = { images: [...images.values()], galleries, queries };
  expectConsistent(root, benchmark);
  return {
    name: fashioniq.name,
    preset,
    folder: root,
    ...benchmark,
    prompt: relativePrompt,
    topK,
    metrics: recallNames(cuts),
    primaryMetric: 'R@10',
    mean: 'groups',
    score: ({ targets }, { gallery }) => recalls(cuts, targets![0]!, gallery),
  };
}

function stripped(caption: string): string {
  return caption.replace(/^[.?, ]+/, '').replace(/(?<![.?, ])[.?, ]+$/, '');
}

function queriesOf(benchmark: Benchmark, category: string): CaptionedQuery[] {
  return benchmark.queries.filter(
    (query): query is CaptionedQuery => query.gallery === category && 'captions' in query,
  );
}

function readPredictions(json: unknown, benchmark: Benchmark, subject: string): ReadonlyMap<string, Ranking> {
  const entries = parseAnnotations(json, predictionsSchema, subject);
  const opened = [...benchmark.galleries.keys()];
  const refuse = (where: string, expected: string, entry: (typeof entries)[number] | undefined) =>
    new LincirError('bad-file', {
      subject: `${subject}: ${where}`,
      expected,
      found: entry ? shortJson([entry.candidate, entry.captions]) : 'none',
      todo: 'write a file for each category, with a ranking for every annotation of captions/cap.CATEGORY.val.json',
    });
  const queries = opened
    .map((category) => queriesOf(benchmark, category))
    .find(([first]) => first !== undefined && isFor(first, entries[0]));
  if (queries === undefined) throw refuse('0', `the first annotation of ${opened.join(', ')}`, entries[0]);
  for (let index = 0; index < Math.max(queries.length, entries.length); index += 1) {
    const [query, entry] = [queries[index], entries[index]];
    if (query === undefined) throw refuse(`${index}`, `only ${queries.length} annotations`, entry);
    if (isFor(query, entry)) continue;
    const expected = `${shortJson([query.reference, query.captions], 200)}, in the order of the annotations`;
    throw refuse(`query ${query.id}`, expected, entry);
  }
  const lists = queries.map(({ id }, index) => [id, entries[index]!.ranking.slice(0, topK)] as const);
  return readLists(Object.fromEntries(lists), { ...benchmark, queries }, subject, predicted);
}

function isFor(
  query: CaptionedQuery,
  entry: z.output<typeof predictionsSchema>[number] | undefined,
): boolean {
  if (entry === undefined || entry.candidate !== query.reference) return false;
  return JSON.stringify(entry.captions) === JSON.stringify(query.captions);
}
