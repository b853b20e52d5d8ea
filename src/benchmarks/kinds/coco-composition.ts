/** Object composition on COCO (Pic2Word, CVPR 2023): an object cut out of a photo, and the photo's other objects as words. */

import { join, resolve } from 'node:path';
import { z } from 'zod';
import { LincirError, listOf, quoted, sequence } from '../../core/index.ts';
import { statOf } from '../../files/index.ts';
import type { Box, Region } from '../../pictures/index.ts';
import type {
  Benchmark,
  BenchmarkImage,
  BenchmarkKind,
  BenchmarkQuery,
  OpenBenchmarkOptions,
} from '../benchmark.ts';
import { recallNames, recalls } from '../measures.ts';
import {
  expectConsistent,
  expectCount,
  parseAnnotations,
  pathWithin,
  protocolOf,
  readAnnotations,
} from './annotations.ts';

const file = 'instances_val2017.json';
const ranks = [1, 5, 10];
/** The authors compare this with a box's area in pixels, which leaves out hardly anything. */
const leastArea = 0.05;
/** Reads it as a share of the photo, which may have been meant. */
const largeObjects = 'large-objects';

/**
 * Saito et al., "Pic2Word: Mapping Images to Words for Zero-shot Composed Image Retrieval" (CVPR 2023). One query for
 * every photo with a fitting object: no crowd, a box of more than 0.05 pixels (`large-objects`: 5 % of the photo) and less
 * than half of the photo, with a whole pixel in it. The authors drew one of these objects at random and published no
 * draw; here the draw depends on the photo's number alone. The text is the object's class and the photo's other classes,
 * even those of crowds. Pixels come from the photo itself; the authors store the cut as JPEG once more.
 */
export const cocoComposition: BenchmarkKind = {
  name: 'coco-composition',
  description:
    'COCO object composition (Pic2Word): find the photo by one of its objects and the names of the others',
  splits: ['val2017'],
  variants: [largeObjects],
  parts: [],
  source:
    'https://cocodataset.org/#download has 2017 Val images and 2017 Train/Val annotations, which lie in the folder, or in ' +
    `coco/ in it, as val2017/ and annotations/${file}`,
  open,
};

async function open(folder: string, options: OpenBenchmarkOptions): Promise<Benchmark> {
  const { variant, preset } = protocolOf(cocoComposition, options);
  const { root, path } = await findAnnotations(resolve(folder));
  const annotations = await readAnnotations(path, instances);
  expectCount(path, 'photos', annotations.images.length, 5000, options);
  const objectsOf = objectsByPhoto(annotations, path);

  const photos: BenchmarkImage[] = [];
  const cutOut: BenchmarkImage[] = [];
  const queries: BenchmarkQuery[] = [];
  for (const image of annotations.images.toSorted((a, b) => a.id - b.id)) {
    const objects = objectsOf.get(image.id)!;
    const area = image.width * image.height;
    const least = variant === largeObjects ? leastArea * area : leastArea;
    const object = drawn(
      objects.filter((candidate) => isFitting(candidate, image, least)),
      image.id,
    );
    if (object === undefined) continue;
    const photo = { id: `${image.id}`, path: photoPath(root, image.file_name, `${path}: image ${image.id}`) };
    const reference = { ...photo, id: `${object.id}@${image.id}`, region: regionOf(object, image) };
    photos.push(photo);
    cutOut.push(reference);
    queries.push({
      id: `${object.id}`,
      reference: reference.id,
      texts: [textOf(object, objects)],
      gallery: 'all',
      targets: [photo.id],
      groups: [object.category.supercategory],
    });
  }
  if (queries.length === 0) {
    throw new LincirError('bad-file', {
      subject: path,
      expected: 'photos with fitting objects',
      found: 'none',
    });
  }
  const galleries = new Map([['all', photos.map(({ id }) => id)]]);
  expectConsistent(path, { images: [...photos, ...cutOut], galleries, queries });
  return {
    name: cocoComposition.name,
    preset,
    folder: resolve(folder),
    images: [...photos, ...cutOut],
    galleries,
    queries,
    prompt: { composed: 'a photo of $ and {text}', text: 'a photo of {text}' },
    topK: Math.max(...ranks),
    metrics: recallNames(ranks),
    primaryMetric: 'R@1',
    mean: 'queries',
    score: ({ targets }, ranking) => recalls(ranks, targets![0]!, ranking.gallery),
  };
}

const instances = z.object({
  images: listOf(
    z.object({
      id: z.int().min(0),
      file_name: z.string(),
      width: z.int().positive(),
      height: z.int().positive(),
    }),
  ),
  annotations: listOf(
    z.object({
      id: z.int(),
      image_id: z.int(),
      category_id: z.int(),
      /** Left, top, width, height. */
      bbox: z.tuple([z.number(), z.number(), z.number(), z.number()]),
      iscrowd: z.literal([0, 1]).default(0),
      /** Size of the visible part alone. */
      segmentation: z.unknown().optional(),
    }),
  ),
  categories: listOf(z.object({ id: z.int(), name: z.string().min(1), supercategory: z.string().min(1) })),
});

type Instances = z.output<typeof instances>;
type CocoImage = Instances['images'][number];
type Instance = Instances['annotations'][number] & {
  readonly category: Instances['categories'][number];
  /** What errors call it. */
  readonly subject: string;
};

function objectsByPhoto({ images, annotations, categories }: Instances, path: string) {
  const categoryOf = new Map(categories.map((category) => [category.id, category]));
  const objectsOf = new Map(images.map(({ id }) => [id, [] as Instance[]]));
  for (const annotation of annotations) {
    const { id, image_id, category_id } = annotation;
    const subject = `${path}: annotation ${id}`;
    const objects = objectsOf.get(image_id);
    if (objects === undefined) throw unknownId(`${subject}: image_id`, image_id);
    const category = categoryOf.get(category_id);
    if (category === undefined) throw unknownId(`${subject}: category_id`, category_id);
    objects.push({ ...annotation, category, subject });
  }
  return objectsOf;
}

/** Root of the layout in the folder, and the file in it. */
async function findAnnotations(folder: string): Promise<{ root: string; path: string }> {
  const places = [folder, join(folder, 'coco')].flatMap((root) =>
    [join(root, 'annotations', file), join(root, file)].map((path) => ({ root, path })),
  );
  for (const place of places) {
    if (await statOf(place.path)) return place;
  }
  throw new LincirError('not-found', {
    subject: folder,
    expected: `annotations/${file} in it`,
    found: 'no such file',
    todo: `get it: ${cocoComposition.source}`,
  });
}

function photoPath(root: string, name: string, subject: string): string {
  return pathWithin(join(root, 'val2017'), name, `${subject}: file_name`);
}

function unknownId(subject: string, id: number): LincirError {
  return new LincirError('bad-file', { subject, expected: 'an id that the file has', found: quoted(id) });
}

function isFitting({ bbox, iscrowd }: Instance, image: CocoImage, least: number): boolean {
  const area = bbox[2] * bbox[3];
  const { left, top, right, bottom } = wholeBox(bbox);
  const hasPixels =
    Math.max(left, 0) < Math.min(right, image.width) && Math.max(top, 0) < Math.min(bottom, image.height);
  return iscrowd === 0 && hasPixels && area > least && area < 0.5 * image.width * image.height;
}

function drawn(objects: readonly Instance[], photo: number): Instance | undefined {
  const next = sequence({ seed: 0, purpose: 'choice', moment: photo, row: 0 });
  return objects[Math.floor(next() * objects.length)];
}

/** The object's class, then the photo's other classes in the order of the annotations. */
function textOf({ category }: Instance, objects: readonly Instance[]): string {
  return [...new Set([category.name, ...objects.map((object) => object.category.name)])].join(' and ');
}

/** The authors drop the fractions of edges. */
function wholeBox([left, top, width, height]: Instance['bbox']): Box {
  const [right, bottom] = [left + width, top + height].map(Math.trunc);
  return { left: Math.trunc(left), top: Math.trunc(top), right: right!, bottom: bottom! };
}

const shapes = 'polygons [x, y, x, y, …], or {counts, size}';
const polygon = listOf(z.number()).refine((numbers) => numbers.length % 2 === 0, shapes);
const run = z.int(shapes).min(0, shapes);
const segmentation = z.union(
  [
    listOf(polygon).refine((polygons) => polygons.length > 0, shapes),
    z.object({ counts: z.union([listOf(run), z.string()], shapes), size: z.tuple([run, run]) }),
  ],
  shapes,
);

function regionOf(object: Instance, image: CocoImage): Region {
  const subject = `${object.subject}: segmentation`;
  const parsed = parseAnnotations(object.segmentation, segmentation, subject);
  const square = 'squash';
  const box = wholeBox(object.bbox);
  if (!('counts' in parsed)) return { box, mask: { polygons: parsed }, square };
  const [height, width] = parsed.size;
  const runs = typeof parsed.counts === 'string' ? unpacked(parsed.counts, subject) : parsed.counts;
  const total = runs.reduce((sum, length) => sum + length, 0);
  if (height === image.height && width === image.width && total === height * width) {
    return { box, mask: { runs, height, width }, square };
  }
  throw new LincirError('bad-file', {
    subject,
    expected: `a mask of the photo's ${image.width} x ${image.height} pixels`,
    found: `one of ${width} x ${height} with ${total}`,
  });
}

/**
 * Unpacks COCO's runs. Every character has 5 bits of a number, the lowest first, and a bit that says whether more follow.
 * The highest bit of the last character is the sign. From the fourth on, a number is the difference to the last run but one.
 */
function unpacked(packed: string, subject: string): number[] {
  const runs: number[] = [];
  let value = 0;
  let bits = 0;
  for (const character of packed) {
    const code = character.charCodeAt(0) - 48;
    value |= (code & 31) << bits;
    bits += 5;
    const isWhole = code < 32;
    if (isWhole && code >= 16) value |= -1 << bits;
    const run = value + (runs.length > 2 ? runs.at(-2)! : 0);
    if (code < 0 || code > 63 || bits > 30 || (isWhole && run < 0)) break;
    if (!isWhole) continue;
    runs.push(run);
    value = 0;
    bits = 0;
  }
  if (bits === 0) return runs;
  throw new LincirError('bad-file', { subject, expected: 'packed runs', found: quoted(packed) });
}
