/** GeneCIS (Vaze et al., CVPR 2023): find the one of a few images that is similar under a condition, an attribute or an object. */

import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { LincirError, listOf, option } from '../../core/index.ts';
import {
  type Benchmark,
  type BenchmarkImage,
  type BenchmarkKind,
  type BenchmarkQuery,
  type OpenBenchmarkOptions,
  relativePrompt,
} from '../benchmark.ts';
import { recallNames, recalls } from '../measures.ts';
import { expectConsistent, expectCount, protocolOf, readAnnotations } from './annotations.ts';

const tasks = ['focus_attribute', 'change_attribute', 'focus_object', 'change_object'];
const publishedObjects = { templates: 1960, gallery: 14 };
const cuts = [1, 2, 3];
/** The part of a box's width and height by which its left and top edges move out, and by which it grows. */
const dilation = 0.7;

export const genecis: BenchmarkKind = {
  name: 'genecis',
  description: 'GeneCIS: focus on, or change, an attribute or an object',
  splits: [],
  variants: ['as-released'],
  parts: tasks,
  source:
    'genecis/{focus,change}_{attribute,object}.json of https://github.com/facebookresearch/genecis; for the object ' +
    'tasks, the images of COCO val2017 as val2017/ or coco/val2017/; for the attribute tasks, those of Visual ' +
    'Genome 1.2 as VG_100K_all/, VG_All/, or VG_100K/ and VG_100K_2/, also below visual_genome/',
  open,
};

async function open(folder: string, options: OpenBenchmarkOptions): Promise<Benchmark> {
  const { variant, parts: wanted, preset } = protocolOf(genecis, options);
  const asReleased = variant === 'as-released';
  const root = resolve(folder);
  expectTasks(root, wanted);
  const cocoPath = cocoPictures(root);
  // Large folders, read only for tasks that need them.
  const genomePath = wanted.some(isAttribute) ? await genomePictures(root) : undefined;
  const images = new Map<string, BenchmarkImage>();
  const queries: BenchmarkQuery[] = [];
  for (const task of wanted) {
    const file = fileOf(root, task);
    const pathOf = (isAttribute(task) && genomePath) || cocoPath;
    const templates = await readAnnotations(file, isAttribute(task) ? attributeTask : objectTask);
    const { templates: count, gallery: size } = isAttribute(task) ? unknownCounts : publishedObjects;
    expectCount(file, 'templates', templates.length, count, options);
    for (const [index, { condition, reference, target, gallery }] of templates.entries()) {
      const id = `${task}/${index}`;
      expectCount(`${file}: query ${id}: gallery`, 'images', gallery.length, size, options);
      const candidates = apart([target, ...gallery]);
      for (const { name, ...image } of [reference, ...candidates]) {
        images.set(image.id, { ...image, path: pathOf(name) });
      }
      queries.push({
        id,
        reference: reference.id,
        // The authors' released evaluation asks the object tasks with the text 0.
        texts: [asReleased && !isAttribute(task) ? '0' : condition],
        candidates: candidates.map((candidate) => candidate.id),
        targets: [target.id],
        groups: [task],
      });
    }
  }
  const benchmark = { images: [...images.values()], galleries: new Map<string, string[]>(), queries };
  expectConsistent(root, benchmark);
  return {
    name: genecis.name,
    preset,
    folder: root,
    ...benchmark,
    prompt: relativePrompt,
    topK: Math.max(...cuts),
    metrics: recallNames(cuts),
    primaryMetric: 'R@1',
    mean: 'groups',
    score: ({ targets }, { candidates }) => recalls(cuts, targets![0]!, candidates),
  };
}

/** How a template names an image. */
type Item = Omit<BenchmarkImage, 'path'> & { readonly name: string };

const objectTask = templatesOf(
  z.object({ val_image_id: z.int().nonnegative() }).transform(
    ({ val_image_id: number }): Item => ({
      id: String(number),
      name: `${String(number).padStart(12, '0')}.jpg`,
    }),
  ),
);

const attributeTask = templatesOf(
  z
    .object({
      image_id: z.union(
        [z.int().nonnegative(), z.string().regex(/^\d+$/, 'the number of an image')],
        'the number of an image',
      ),
      instance_bbox: z.tuple([z.number(), z.number(), z.number().positive(), z.number().positive()]),
    })
    .transform(({ image_id: number, instance_bbox: box }): Item => {
      const [x, y, width, height] = box;
      const left = Math.max(0, x - dilation * width);
      const top = Math.max(0, y - dilation * height);
      // Both from the moved edges, as the benchmark's authors cut them.
      const right = left + (1 + dilation) * width;
      const bottom = top + (1 + dilation) * height;
      return {
        id: `${number}@${box.join()}`,
        name: `${number}.jpg`,
        region: { box: { left, top, right, bottom }, square: 'pad' },
      };
    }),
);

function templatesOf<Schema extends z.ZodType<Item>>(item: Schema) {
  return listOf(
    z.object({
      condition: z.string(),
      reference: item,
      target: item,
      gallery: listOf(item).refine((items) => items.length > 0, 'at least one'),
    }),
  );
}

/** For the attribute tasks' files, no counts are known. */
const unknownCounts = { templates: undefined, gallery: undefined };

function isAttribute(task: string): boolean {
  return task.endsWith('attribute');
}

function fileOf(folder: string, task: string): string {
  return join(folder, 'genecis', `${task}.json`);
}

function expectTasks(folder: string, wanted: readonly string[]): void {
  const there = wanted.filter((task) => existsSync(fileOf(folder, task)));
  const missing = wanted.filter((task) => !there.includes(task));
  if (missing.length === 0) return;
  throw new LincirError('not-found', {
    subject: missing.map((task) => fileOf(folder, task)).join(', '),
    expected: 'the templates of every task',
    found: 'no such file',
    todo: [
      'get them from https://github.com/facebookresearch/genecis',
      ...(there.length > 0
        ? [`ask for the tasks that are there: ${option<OpenBenchmarkOptions>('only', there.join())}`]
        : []),
    ].join(', or '),
  });
}

/**
 * The candidates, each with an id, the target first. In the published `change_object/19` the gallery has the target
 * again. The official evaluation tells them apart by place, and only the first is right. So a repeated image gets its
 * own id here.
 */
function apart(items: readonly Item[]): Item[] {
  const times = new Map<string, number>();
  return items.map((item) => {
    const time = (times.get(item.id) ?? 0) + 1;
    times.set(item.id, time);
    return time === 1 ? item : { ...item, id: `${item.id}#${time}` };
  });
}

/** Finds images of COCO by file name. */
function cocoPictures(folder: string): (name: string) => string {
  const below = join(folder, 'coco', 'val2017');
  const pictures = existsSync(below) ? below : join(folder, 'val2017');
  return (name) => join(pictures, name);
}

/** Finds images of Visual Genome by file name. A missing one is expected in `VG_100K_all`. */
async function genomePictures(folder: string): Promise<(name: string) => string> {
  const places = [folder, join(folder, 'visual_genome')].flatMap((above) =>
    ['VG_100K_all', 'VG_All', 'VG_100K', 'VG_100K_2'].map((name) => join(above, name)),
  );
  const found = new Map<string, string>();
  for (const place of places) {
    for (const name of await readdir(place).catch(() => [])) {
      if (!found.has(name)) found.set(name, join(place, name));
    }
  }
  return (name) => found.get(name) ?? join(places[0]!, name);
}
