/** Benchmarks: the annotations of each kind, predictions, results, prompts. */

import { join } from 'node:path';
import {
  type Benchmark,
  compareResults,
  kindNamed,
  type OpenBenchmarkOptions,
  type Results,
  readResults,
  scorePredictions,
  wordingsOf,
} from '../../../src/benchmarks/index.ts';
import { readRankings } from '../../../src/benchmarks/predictions.ts';
import { comparisonTable, resultsTable } from '../../../src/cli/evaluation/table.ts';
import { bytesOf, filled, jsonOf, jsonTokens, ofFile, type Target, textTokens } from '../target.ts';

const any: OpenBenchmarkOptions = { anyVersion: true };

const cirrName = (at: number) => `dev-${at}-0-img0`;
const cirrPairs = [0, 1, 2].map((at) => ({
  ...{ pairid: 100 + at, reference: cirrName(at), target_hard: cirrName(at + 1), caption: `make it ${at}` },
  target_soft: { [cirrName(0)]: -1 },
  img_set: { id: at, members: [2, 1, 3, 0, 4, 5].map((offset) => cirrName(at + offset)) },
}));
const cirrPaths = Object.fromEntries(
  Array.from({ length: 9 }, (_, at) => [cirrName(at), `./dev/${cirrName(at)}.png`]),
);
const circoQuestions = [0, 1].map((at) => ({
  ...{ id: at, reference_img_id: at, relative_caption: `has ${at}`, shared_concept: 'an image' },
  ...{ target_img_id: at + 1, gt_img_ids: [at + 1, at + 2], semantic_aspects: ['addition'] },
}));
const circoImages = { images: [0, 1, 2, 3].map((id) => ({ id, file_name: `${id}.jpg`, height: 480 })) };
const fashionCaptions = [{ target: 'b', candidate: 'a', captions: ['is red', 'has 3/4 sleeves. '] }];
const photo = (id: number) => ({ val_image_id: id });
const crop = (id: number | string, ...instance_bbox: number[]) => ({ image_id: id, instance_bbox });
const genecisObjects = [{ condition: 'wall', reference: photo(1), target: photo(2), gallery: [photo(3)] }];
const genecisAttributes = [
  {
    ...{ condition: 'the color', reference: crop(7, 10, 5, 40, 20), target: crop(8, 1, 3, 2, 4) },
    gallery: [crop('9', 0, 0, 10.5, 10)],
  },
];
const coco = {
  images: [1, 2].map((id) => ({ id, file_name: `${id}.jpg`, width: 100, height: 80 })),
  annotations: [1, 2].flatMap((image) => [
    {
      ...{ id: image, image_id: image, category_id: 1, bbox: [10.6, 20.2, 30, 40.9], iscrowd: 0 },
      segmentation: [[10, 20, 40, 20, 40, 60]],
    },
    {
      ...{ id: 10 + image, image_id: image, category_id: 2, bbox: [0, 0, 50, 40], iscrowd: 1 },
      segmentation: { counts: image === 1 ? [0, 100, 7900] : 'PZ1', size: [80, 100] },
    },
  ]),
  categories: [1, 2].map((id) => ({ id, name: `kind ${id}`, supercategory: 'thing' })),
};
const domainPhotos = 'imgnet/real/n01/ILSVRC2012_val_00000001.JPEG 2 \nimgnet/real/n02/ILSVRC_2.JPEG 994\n';
const domainTargets = 'imgnet/imagenet-r/n01/toy_3.jpg 2002 \nimgnet/imagenet-r/n02/cartoon_2.jpg 994\n';
const queries = [
  { reference: 'images/a.jpg', text: 'is red', targets: ['images/b.jpg'], groups: ['x'] },
  { id: 'two', reference: 'images/a.jpg', text: 'is', targets: ['c.jpg'], candidates: ['c.jpg', 'd.jpg'] },
];
const lines = queries.map((query) => `${JSON.stringify(query)}\n`).join('');

export async function benchmarkTargets(folder: string) {
  /** A benchmark's folder, opened with one of its files changed. */
  const annotated = async (
    kind: string,
    files: Readonly<Record<string, unknown>>,
    covers: readonly string[],
  ) => {
    const at = await filled(
      join(folder, kind),
      Object.fromEntries(
        Object.entries(files).map(([name, content]) => [
          name,
          typeof content === 'string' ? content : JSON.stringify(content),
        ]),
      ),
    );
    const open = () => kindNamed(kind).open(at, any);
    const opened = await open();
    const target = (name: string, tokens: readonly string[] = jsonTokens): Target => {
      const seed = Buffer.from(typeof files[name] === 'string' ? files[name] : JSON.stringify(files[name]));
      return {
        ...{ covers, tokens, seeds: [seed] },
        read: async (bytes) => {
          await filled(at, { [name]: bytes });
          try {
            scored(await open());
          } finally {
            await filled(at, { [name]: seed });
          }
        },
      };
    };
    return { target, opened };
  };
  const annotations = 'benchmarks/kinds/annotations.ts';
  const cirr = await annotated(
    'cirr',
    { 'cirr/captions/cap.rc2.val.json': cirrPairs, 'cirr/image_splits/split.rc2.val.json': cirrPaths },
    [annotations, 'benchmarks/kinds/cirr.ts', 'benchmarks/open.ts'],
  );
  const circo = await annotated(
    'circo',
    {
      'annotations/val.json': circoQuestions,
      'COCO2017_unlabeled/annotations/image_info_unlabeled2017.json': circoImages,
    },
    [annotations, 'benchmarks/kinds/circo.ts'],
  );
  const categories = ['dress', 'shirt', 'toptee'];
  const fashion = await annotated(
    'fashioniq',
    Object.fromEntries(
      categories.flatMap((category) => [
        [`captions/cap.${category}.val.json`, fashionCaptions],
        [`image_splits/split.${category}.val.json`, ['a', 'b', 'c']],
      ]),
    ),
    [annotations, 'benchmarks/kinds/fashioniq.ts'],
  );
  const genecis = await annotated(
    'genecis',
    {
      ...Object.fromEntries(
        ['focus', 'change'].map((task) => [`genecis/${task}_attribute.json`, genecisAttributes]),
      ),
      ...Object.fromEntries(
        ['focus', 'change'].map((task) => [`genecis/${task}_object.json`, genecisObjects]),
      ),
    },
    [annotations, 'benchmarks/kinds/genecis.ts'],
  );
  const objects = await annotated('coco-composition', { 'annotations/instances_val2017.json': coco }, [
    annotations,
    'benchmarks/kinds/coco-composition.ts',
  ]);
  const domains = await annotated(
    'imagenet-domains',
    { 'imgnet_real_query.txt': domainPhotos, 'imgnet_targets.txt': domainTargets },
    ['benchmarks/kinds/imagenet-domains.ts'],
  );
  const custom = await annotated(
    'custom',
    { 'queries.jsonl': lines, 'gallery.txt': 'images/a.jpg\nimages/b.jpg\n' },
    ['benchmarks/kinds/custom.ts', annotations],
  );
  const miniFiles = {
    'COCO2017_unlabeled/annotations/image_info_unlabeled2017.json': {
      images: [0, 1, 2].map((id) => ({ id, file_name: `${id}.png` })),
    },
    'annotations/val.json': [0, 1].map((id) => ({
      ...{
        id,
        reference_img_id: id,
        target_img_id: id + 1,
        relative_caption: 'has',
        shared_concept: 'a scene',
      },
      ...{ gt_img_ids: [id + 1], semantic_aspects: ['color'] },
    })),
    'cirr/image_splits/split.rc2.val.json': Object.fromEntries(
      [0, 1, 2].map((id) => [`p${id}`, `./COCO2017_unlabeled/unlabeled2017/${id}.png`]),
    ),
    'cirr/captions/cap.rc2.val.json': [0, 1].map((id) => ({
      ...{ pairid: id, reference: `p${id}`, target_hard: `p${id + 1}`, caption: 'has' },
      img_set: { id, members: ['p0', 'p1', 'p2', 'p0', 'p1', 'p2'].slice(0, 3) },
    })),
  };
  const small = await annotated('mini', miniFiles, ['benchmarks/kinds/mini.ts']);

  const dresses = await kindNamed('fashioniq').open(join(folder, 'fashioniq'), { ...any, only: ['dress'] });
  /** What is submitted of a benchmark, as its own writer makes it. */
  const submitted = (kind: string, opened: Benchmark, covers: string): Target => {
    const { files, write } = kindNamed(kind).predictions!;
    const rankings = new Map(
      opened.queries.map(({ id, gallery, candidates = [], exclude = [] }) => [
        id,
        {
          gallery: (opened.galleries.get(gallery ?? '') ?? []).filter((name) => !exclude.includes(name)),
          candidates,
        },
      ]),
    );
    return {
      ...{ covers: [covers, 'benchmarks/predictions.ts', 'benchmarks/predicted.ts'], tokens: jsonTokens },
      seeds: Object.keys(files)
        .filter((file) => opened.galleries.has(file) || !kindNamed(kind).parts.includes(file))
        .map((file) => jsonOf(write(file, opened, rankings))),
      read: ofFile(folder, 'submission.json', (path) =>
        scorePredictions(kindNamed(kind), opened, [path], any),
      ),
    };
  };
  const ranked = custom.opened.queries.map(({ id, candidates }) =>
    JSON.stringify({ query: id, ...(candidates ? { candidates } : { gallery: ['images/b.jpg'] }) }),
  );
  const results: Results = {
    ...{ version: 1, benchmark: 'mini', preset: 'mini', options: { split: null }, folder: '/a', sha256: 'a' },
    ...{
      limit: null,
      images: 3,
      queries: ['1', '2'],
      metrics: ['R@1'],
      primaryMetric: 'R@1',
      mean: 'groups',
    },
    groupOf: ['x', 'y'],
    model: { name: 'mini', fingerprint: 'f', targetPad: null, precision: 'float32' },
    methods: ['lincir', 'slerp'].map((name, at) => ({
      name,
      settings: { weight: 0.5, phi: null },
      prompt: { composed: '$ that {text}', text: '{text}' },
      figures: { 'R@1': { value: 0.5, low: 0, high: 1 } },
      ...(at === 1 && { differences: { 'R@1': { value: 0, low: -1, high: 1, p: 0.5 } } }),
      groups: { x: { queries: 1, values: { 'R@1': 1 } } },
      perQuery: { 'R@1': [1, 0] },
      wordings: [{ prompt: { composed: '$, {text}', text: '{text}' }, values: { 'R@1': 0.4 } }],
    })),
    seconds: { ranking: 1 },
    versions: { lincir: '0.1.0' },
    date: '2026-01-01T00:00:00.000Z',
  };
  return {
    'cirr-captions': cirr.target('cirr/captions/cap.rc2.val.json'),
    'cirr-pictures': cirr.target('cirr/image_splits/split.rc2.val.json'),
    'circo-queries': circo.target('annotations/val.json'),
    'circo-pictures': circo.target('COCO2017_unlabeled/annotations/image_info_unlabeled2017.json'),
    'fashioniq-captions': fashion.target('captions/cap.shirt.val.json'),
    'fashioniq-pictures': fashion.target('image_splits/split.shirt.val.json'),
    'genecis-attributes': genecis.target('genecis/focus_attribute.json'),
    'genecis-objects': genecis.target('genecis/change_object.json'),
    coco: objects.target('annotations/instances_val2017.json', [
      ...jsonTokens,
      '"counts"',
      '"size"',
      '1e9',
      '"PZ1"',
    ]),
    'imagenet-photos': domains.target('imgnet_real_query.txt', [
      ...textTokens,
      'real',
      'toy_',
      '/n01/',
      '99999',
    ]),
    'imagenet-targets': domains.target('imgnet_targets.txt', [
      ...textTokens,
      'real',
      'toy_',
      '/n01/',
      '99999',
    ]),
    'custom-queries': custom.target('queries.jsonl', [...jsonTokens, '\n', '"candidates"', '$', '\\$1']),
    'custom-gallery': custom.target('gallery.txt', textTokens),
    'mini-circo': small.target('annotations/val.json'),
    'mini-cirr': small.target('cirr/captions/cap.rc2.val.json'),
    'cirr-submission': submitted('cirr', cirr.opened, 'benchmarks/kinds/cirr.ts'),
    'circo-submission': submitted('circo', circo.opened, 'benchmarks/kinds/circo.ts'),
    'fashioniq-submission': submitted('fashioniq', dresses, 'benchmarks/kinds/fashioniq.ts'),
    rankings: {
      covers: ['benchmarks/predictions.ts'],
      seeds: [bytesOf(`${ranked.join('\n')}\n`)],
      tokens: [...jsonTokens, '\n', '"gallery"', '"candidates"'],
      read: ofFile(folder, 'rankings.jsonl', (path) => readRankings(path, custom.opened)),
    },
    prompts: {
      covers: ['benchmarks/prompts.ts'],
      seeds: [jsonOf(['a photo of $ that {text}', '$, {text}'])],
      tokens: [...jsonTokens, '$', '{text}', '\\$', '$1'],
      read: ofFile(folder, 'prompts.json', (path) => wordingsOf(path, custom.opened.prompt)),
    },
    results: {
      covers: ['benchmarks/results-file.ts'],
      seeds: [jsonOf(results)],
      tokens: [
        ...jsonTokens,
        '"R@1"',
        '"primaryMetric"',
        '"groups"',
        '"figures"',
        '"differences"',
        '"lincir"',
      ],
      read: ofFile(folder, 'results.json', async (path) => {
        const read = await readResults(path);
        resultsTable(read);
        comparisonTable(compareResults(read, results), [read, results]);
      }),
    },
  } satisfies Record<string, Target>;
}

/** Scores each query with what is ranked in the order that it stands in. */
function scored({ queries: all, galleries, score }: Benchmark): void {
  for (const query of all.slice(0, 20)) {
    if (query.targets === undefined) continue;
    score(query, { gallery: galleries.get(query.gallery ?? '') ?? [], candidates: query.candidates ?? [] });
  }
}
