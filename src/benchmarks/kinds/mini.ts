/** The miniature world's benchmark as `lincir eval mini` opens it: CIRCO's and CIRR's protocols at once. */

import { LincirError, quoted } from '../../core/index.ts';
import type { Benchmark, BenchmarkKind, BenchmarkQuery, OpenBenchmarkOptions } from '../benchmark.ts';
import { circo } from './circo.ts';
import { cirr } from './cirr.ts';
import { miniPrompts } from './mini-prompts.ts';

const precisionMetrics = ['mAP@5', 'mAP@10', 'mAP@25', 'mAP@50'];
const recallMetrics = ['R@1', 'R@5', 'R@10', 'subset R@1'];

/**
 * Opens a folder that `writeMiniBenchmark` made. Average precision is CIRCO's, over all right answers, with the reference
 * in the gallery. Recall is CIRR's, of the first right answer, without the reference.
 */
export const mini: BenchmarkKind = {
  name: 'mini',
  description: 'The miniature world: ten kinds of change to small scenes, with all right answers',
  splits: ['val'],
  variants: [],
  parts: [],
  source: 'lincir mini FOLDER makes it',
  open,
};

async function open(folder: string, options: OpenBenchmarkOptions): Promise<Benchmark> {
  const any = { ...options, anyVersion: true };
  const asCirco = await circo.open(folder, any);
  const asCirr = await cirr.open(folder, any);
  const refuse = (expected: string, found: string) =>
    new LincirError('bad-file', {
      subject: folder,
      expected,
      found,
      todo: 'make it again: lincir mini FOLDER',
    });
  const idOf = new Map(asCirr.images.map(({ id, path }) => [path, id]));
  const nameOf = new Map(
    asCirco.images.map(({ id, path }) => {
      const name = idOf.get(path);
      if (name === undefined)
        throw refuse("CIRCO's and CIRR's images to be the same", `${quoted(path)} in CIRCO only`);
      return [id, name];
    }),
  );
  if (nameOf.size !== asCirr.images.length) {
    throw refuse("CIRCO's and CIRR's images to be the same", `${nameOf.size} and ${asCirr.images.length}`);
  }
  const circoIdOf = new Map([...nameOf].map(([id, name]) => [name, id]));
  const byId = new Map(asCirco.queries.map((query) => [query.id, query]));
  const queries = asCirr.queries.map((query): BenchmarkQuery => {
    const { exclude, ...own } = query;
    const asked = byId.get(query.id);
    if (asked === undefined || byId.size !== asCirr.queries.length) {
      throw refuse("CIRCO's and CIRR's queries to be the same", `${quoted(query.id)} or others in one only`);
    }
    return { ...own, groups: asked.groups, targets: asked.targets!.map((id) => nameOf.get(id)!) };
  });
  return {
    ...asCirr,
    name: mini.name,
    preset: mini.name,
    queries,
    prompt: miniPrompts,
    metrics: [...precisionMetrics, ...recallMetrics],
    primaryMetric: 'mAP@10',
    score: (query, { gallery = [], candidates = [] }) => {
      const ranked = gallery.map((name) => circoIdOf.get(name)!);
      const precisions = asCirco.score(byId.get(query.id)!, { gallery: ranked });
      const withoutReference = gallery.filter((name) => name !== query.reference);
      const recalls = asCirr.score(
        { ...query, targets: [query.targets![0]!] },
        { gallery: withoutReference, candidates },
      );
      return Object.fromEntries([
        ...precisionMetrics.map((metric) => [metric, precisions[metric]!] as const),
        ...recallMetrics.map((metric) => [metric, recalls[metric]!] as const),
      ]);
    },
  };
}
