/** CIRR: changes to real-life images. Answers are ranked among all images, and among five similar ones. */

import { join, resolve } from 'node:path';
import { z } from 'zod';
import { LincirError, listOf, quoted, recordOf } from '../../core/index.ts';
import { statOf } from '../../files/index.ts';
import {
  type Benchmark,
  type BenchmarkKind,
  type BenchmarkQuery,
  type OpenBenchmarkOptions,
  type Ranking,
  relativePrompt,
} from '../benchmark.ts';
import { recallNames, recalls } from '../measures.ts';
import { type PredictedList, readLists, submissionFields, writeLists } from '../predictions.ts';
import {
  chosen,
  expectConsistent,
  expectCount,
  pathWithin,
  protocolOf,
  readAnnotations,
} from './annotations.ts';

/** Numbers of queries and images. */
const published: Readonly<Record<string, { readonly queries: number; readonly images: number }>> = {
  val: { queries: 4181, images: 2297 },
  test1: { queries: 4148, images: 2315 },
};
const splits = Object.keys(published);

const cuts = [1, 5, 10, 50];
const subsetCuts = [1, 2, 3];
const subset = 'subset ';
const metrics = [...recallNames(cuts), ...recallNames(subsetCuts, subset)];
const primaryMetric = 'R@1';
const topK = 50;

const gallery = 'all';
const version = 'rc2';

/** The test server takes a file for each, under the same name as its `metric`. */
const submissions: Readonly<Record<string, PredictedList>> = {
  recall: { list: 'gallery', length: topK, ids: 'strings' },
  recall_subset: { list: 'candidates', length: 3, ids: 'strings' },
};

/**
 * Liu et al., "Image Retrieval on Real-life Images with Pre-trained Vision-and-Language Models" (ICCV 2021). A query's
 * reference is not an answer: neither the gallery nor the subset, `candidates`, has it.
 */
export const cirr: BenchmarkKind = {
  name: 'cirr',
  description: 'CIRR: changes to images of real life, among all images and among similar ones',
  splits,
  variants: [],
  parts: [],
  source:
    'https://github.com/Cuberick-Orion/CIRR has cirr/captions/cap.rc2.SPLIT.json and ' +
    'cirr/image_splits/split.rc2.SPLIT.json; the images, on request from https://lil.nlp.cornell.edu/nlvr, lie beside ' +
    'cirr/ in dev/ and test1/, or in img_raw/dev/ and img_raw/test1/',
  open,
  predictions: {
    files: Object.fromEntries(Object.entries(submissions).map(([file, { list }]) => [file, list])),
    write: (file, benchmark, rankings) => {
      const metric = chosen('file of predictions', file, Object.keys(submissions));
      const name = `${benchmark.preset}: ${metric}`;
      return { version, metric, ...writeLists(name, benchmark, rankings, submissions[metric]!) };
    },
    read: (json, benchmark, subject) => {
      const { version: ofFile, metric, ...lists } = submissionFields(json, subject);
      expectField(`${subject}: version`, ofFile, [version]);
      expectField(`${subject}: metric`, metric, Object.keys(submissions));
      return readLists(lists, benchmark, subject, submissions[String(metric)]!);
    },
  },
};

const pathsSchema = recordOf(z.string());

const pairFields = {
  pairid: z.int(),
  reference: z.string(),
  caption: z.string(),
  img_set: z.object({ members: listOf(z.string()) }),
};
const openPairs = listOf(z.object({ ...pairFields, target_hard: z.string() }));
const secretPairs = listOf(
  z.object({
    ...pairFields,
    target_hard: z.never('nothing, because test1 keeps its targets secret').optional(),
  }),
);
type Pair = z.output<typeof openPairs | typeof secretPairs>[number];

async function open(folder: string, options: OpenBenchmarkOptions): Promise<Benchmark> {
  const { split, preset } = protocolOf(cirr, options);
  const root = resolve(folder);
  const captionsPath = join(root, 'cirr', 'captions', `cap.${version}.${split}.json`);
  const splitPath = join(root, 'cirr', 'image_splits', `split.${version}.${split}.json`);
  const pairs = await readAnnotations(captionsPath, split === 'val' ? openPairs : secretPairs);
  const paths = Object.entries(await readAnnotations(splitPath, pathsSchema));
  expectCount(captionsPath, 'queries', pairs.length, published[split]?.queries, options);
  expectCount(splitPath, 'images', paths.length, published[split]?.images, options);

  const raw = join(root, 'img_raw');
  const pictures = (await statOf(raw))?.isDirectory() ? raw : root;
  const images = paths.map(([id, path]) => ({ id, path: pathWithin(pictures, path, `${splitPath}: ${id}`) }));
  const galleries = new Map([[gallery, images.map(({ id }) => id)]]);
  const queries = pairs.map((pair) => queryOf(pair, captionsPath));
  expectConsistent(captionsPath, { images, galleries, queries });
  return {
    name: cirr.name,
    preset,
    folder: root,
    images,
    galleries,
    queries,
    prompt: relativePrompt,
    topK,
    metrics,
    primaryMetric,
    mean: 'queries',
    score,
  };
}

function queryOf({ pairid, reference, caption, img_set, target_hard }: Pair, path: string): BenchmarkQuery {
  const id = String(pairid);
  for (const member of target_hard === undefined ? [reference] : [reference, target_hard]) {
    if (img_set.members.includes(member)) continue;
    throw new LincirError('bad-file', {
      subject: `${path}: query ${id}: img_set`,
      expected: `${quoted(member)} among its members`,
      found: quoted(img_set.members.join(', ')),
    });
  }
  return {
    id,
    reference,
    texts: [caption],
    gallery,
    exclude: [reference],
    candidates: img_set.members.filter((member) => member !== reference),
    ...(target_hard !== undefined && { targets: [target_hard] }),
    groups: [],
  };
}

function score({ targets }: BenchmarkQuery, ranking: Ranking): Readonly<Record<string, number>> {
  const target = targets![0]!;
  return {
    ...(ranking.gallery && recalls(cuts, target, ranking.gallery)),
    ...(ranking.candidates && recalls(subsetCuts, target, ranking.candidates, subset)),
  };
}

function expectField(subject: string, value: unknown, choices: readonly string[]): void {
  if (choices.some((choice) => choice === value)) return;
  throw new LincirError('bad-file', {
    subject,
    expected: choices.join(' or '),
    found: value === undefined ? 'nothing' : quoted(value),
  });
}
