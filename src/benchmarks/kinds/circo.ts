/** CIRCO: changes to COCO images, with every right answer among all of COCO's unlabeled images. */

import { join, resolve } from 'node:path';
import { z } from 'zod';
import { LincirError, listOf, quoted } from '../../core/index.ts';
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
import { type PredictedList, readLists, submissionFields, writeLists } from '../predictions.ts';
import { expectConsistent, expectCount, pathWithin, protocolOf, readAnnotations } from './annotations.ts';

const publishedQueries: Readonly<Record<string, number>> = { val: 220, test: 800 };
const publishedImages = 123_403;
const splits = Object.keys(publishedQueries);

const cuts = [5, 10, 25, 50];
const metrics = [...averagePrecisionNames(cuts), ...recallNames(cuts)];
const primaryMetric = 'mAP@5';
const topK = 50;

const gallery = 'all';

/** The one file that the test server takes. */
const submission: PredictedList = { list: 'gallery', length: topK, ids: 'integers' };

/**
 * Baldrati et al., "Zero-Shot Composed Image Retrieval with Textual Inversion" (ICCV 2023). The gallery keeps a query's
 * reference. Recall looks only for the first of a query's targets.
 */
export const circo: BenchmarkKind = {
  name: 'circo',
  description: 'CIRCO: changes to images of COCO, each with all its right answers among 123,403 images',
  splits,
  variants: [],
  parts: [],
  source:
    'https://github.com/miccunifi/CIRCO has annotations/val.json and annotations/test.json; unlabeled2017.zip and ' +
    'image_info_unlabeled2017.zip of https://cocodataset.org/#download lie unpacked as COCO2017_unlabeled/unlabeled2017/ ' +
    'and COCO2017_unlabeled/annotations/image_info_unlabeled2017.json',
  open,
  predictions: {
    files: { '': submission.list },
    write: (_, benchmark, rankings) => writeLists(benchmark.preset, benchmark, rankings, submission),
    read: (json, benchmark, subject) =>
      readLists(submissionFields(json, subject), benchmark, subject, submission),
  },
};

const imagesSchema = z.object({ images: listOf(z.object({ id: z.int(), file_name: z.string() })) });

const questionFields = { id: z.int(), reference_img_id: z.int(), relative_caption: z.string() };
const openQuestions = listOf(
  z.object({
    ...questionFields,
    target_img_id: z.int(),
    gt_img_ids: listOf(z.int()),
    semantic_aspects: listOf(z.string()),
  }),
);
const secret = z.never('nothing, because test keeps its targets secret').optional();
const secretQuestions = listOf(
  z.object({ ...questionFields, target_img_id: secret, gt_img_ids: secret, semantic_aspects: secret }),
);
type Question = z.output<typeof openQuestions | typeof secretQuestions>[number];

async function open(folder: string, options: OpenBenchmarkOptions): Promise<Benchmark> {
  const { split, preset } = protocolOf(circo, options);
  const root = resolve(folder);
  const questionsPath = join(root, 'annotations', `${split}.json`);
  const questions = await readAnnotations(questionsPath, split === 'val' ? openQuestions : secretQuestions);
  expectCount(questionsPath, 'queries', questions.length, publishedQueries[split], options);
  const images = await readImages(root, options);
  const galleries = new Map([[gallery, images.map(({ id }) => id)]]);
  const queries = questions.map((question) => queryOf(question, questionsPath));
  expectConsistent(questionsPath, { images, galleries, queries });
  return {
    name: circo.name,
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

async function readImages(root: string, options: OpenBenchmarkOptions): Promise<readonly BenchmarkImage[]> {
  const unlabeled = join(root, 'COCO2017_unlabeled');
  const path = join(unlabeled, 'annotations', 'image_info_unlabeled2017.json');
  const { images } = await readAnnotations(path, imagesSchema);
  expectCount(path, 'images', images.length, publishedImages, options);
  const pictures = join(unlabeled, 'unlabeled2017');
  return images.map(({ id, file_name }) => ({
    id: String(id),
    path: pathWithin(pictures, file_name, `${path}: image ${id}`),
  }));
}

function queryOf(question: Question, path: string): BenchmarkQuery {
  const { id, gt_img_ids, target_img_id, semantic_aspects = [] } = question;
  const common = {
    id: String(id),
    reference: String(question.reference_img_id),
    texts: [question.relative_caption],
    gallery,
    groups: semantic_aspects,
  };
  if (target_img_id === undefined) return common;
  // Removes one occurrence only, so that the check for repeated targets still finds a second one.
  const at = gt_img_ids.indexOf(target_img_id);
  if (at < 0) {
    throw new LincirError('bad-file', {
      subject: `${path}: query ${id}: gt_img_ids`,
      expected: `target_img_id, ${target_img_id}, among them`,
      found: quoted(gt_img_ids.join(', ')),
    });
  }
  return { ...common, targets: [target_img_id, ...gt_img_ids.toSpliced(at, 1)].map(String) };
}

function score({ targets = [] }: BenchmarkQuery, { gallery }: Ranking): Readonly<Record<string, number>> {
  return { ...averagePrecisions(cuts, targets, gallery), ...recalls(cuts, targets[0]!, gallery) };
}
