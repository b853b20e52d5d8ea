/** Builds the miniature world's benchmark of composed retrieval: images, queries, and all right answers. */

import { LincirError, sequence } from '../../core/index.ts';
import { queryText } from '../grammar/queries.ts';
import { type Change, type ChangeKind, changeKinds, changeOf, neighboursOf } from '../world/changes.ts';
import { isHeldOut, type Scene, sampleScene, sceneKey, shuffled } from '../world/scene.ts';

interface BenchmarkSizes {
  /** Number of images. */
  readonly gallery: number;
  readonly queries: number;
}

/** An image: the arguments of `renderScene`. */
interface MiniImage {
  /** From 1, in the gallery's order. */
  readonly id: number;
  /** Held out from training. */
  readonly scene: Scene;
  readonly variant: number;
}

/** One composed query; images are named by their ids. */
export interface MiniQuery {
  /** From 1. */
  readonly id: number;
  readonly kind: ChangeKind;
  readonly reference: number;
  /** Follows `a photo of $ that`. */
  readonly text: string;
  /** One of the right answers: the one in the subset. */
  readonly target: number;
  /** All of the gallery's right answers, `target` first. */
  readonly targets: readonly number[];
  /** Six similar images: the reference, the target, and four near misses. */
  readonly subset: readonly number[];
}

export interface MiniBenchmark {
  readonly gallery: readonly MiniImage[];
  readonly queries: readonly MiniQuery[];
}

/**
 * The same seed and sizes give the same benchmark. Kinds of change take turns. Every scene is held out.
 * @throws LincirError 'bad-argument' if the gallery is too small for the queries, which need about 6 images each
 */
export function buildBenchmark(seed: number, sizes: BenchmarkSizes): MiniBenchmark {
  const random = sequence({ seed, purpose: 'scene', moment: 1, row: 0 });
  const pictures = new PictureSet();
  const planned: Plan[] = [];
  while (planned.length < sizes.queries) {
    const reference = heldOutScene(random);
    const wanted = shuffled(changeKinds, random).toSorted(
      (one, other) => countOf(planned, one) - countOf(planned, other),
    );
    let asked = 0;
    for (const kind of wanted) {
      if (asked === queriesPerReference || planned.length === sizes.queries) break;
      if (countOf(planned, kind) >= sizes.queries / changeKinds.length) continue;
      const plan = planQuery(kind, reference, random);
      if (plan === undefined) continue;
      asked += 1;
      planned.push(plan);
      for (const scene of [reference, ...plan.targets, ...plan.nearMisses]) pictures.add(scene);
      for (let variant = 1; variant < plan.variants; variant += 1) pictures.add(plan.targets[0]!, variant);
    }
  }
  if (pictures.size > sizes.gallery) {
    throw new LincirError('bad-argument', {
      subject: `a benchmark of ${sizes.queries} queries`,
      expected: `a gallery of at least ${pictures.size} images`,
      found: String(sizes.gallery),
    });
  }
  while (pictures.size < sizes.gallery) pictures.add(heldOutScene(random));
  return finished(planned, shuffled(pictures.all(), random), random);
}

/** Scenes of a query, before images have ids. */
interface Plan {
  readonly change: Change;
  /** At least one result of the change that is held out. */
  readonly targets: readonly Scene[];
  /** Number of images of the first target. */
  readonly variants: number;
  readonly nearMisses: readonly Scene[];
}

/** One reference serves several queries, as in CIRR. */
const queriesPerReference = 3;
const mostTargets = 4;
const nearMissCount = 4;
/** One scene in ten is held out. So many draws usually find a change that leads to one. */
const triesPerKind = 24;

/** Images of scenes, each once. */
class PictureSet {
  readonly #pictures = new Map<string, { readonly scene: Scene; readonly variant: number }>();

  get size(): number {
    return this.#pictures.size;
  }

  add(scene: Scene, variant = 0): void {
    this.#pictures.set(`${sceneKey(scene)} ${variant}`, { scene, variant });
  }

  all(): { readonly scene: Scene; readonly variant: number }[] {
    return [...this.#pictures.values()];
  }
}

function planQuery(kind: ChangeKind, reference: Scene, random: () => number): Plan | undefined {
  for (let attempt = 0; attempt < triesPerKind; attempt += 1) {
    const change = changeOf(kind, reference, random);
    if (change === undefined) return undefined;
    const targets = shuffled(change.targets.filter(isHeldOut), random).slice(0, mostTargets);
    if (targets.length === 0) continue;
    const nearMisses = nearMissesOf(change, targets[0]!, random);
    if (nearMisses.length < nearMissCount) continue;
    const variants = targets.length === 1 ? 1 + Math.floor(random() * 3) : 1;
    return { change, targets, variants, nearMisses };
  }
  return undefined;
}

/** Held-out scenes that answer the change in all but one attribute, or in all but two if those are few. */
function nearMissesOf(change: Change, target: Scene, random: () => number): Scene[] {
  const referenceKey = sceneKey(change.reference);
  const found = new Map<string, Scene>();
  const take = (scenes: readonly Scene[]) => {
    for (const scene of scenes) {
      if (found.size === nearMissCount) return;
      const key = sceneKey(scene);
      if (isHeldOut(scene) && key !== referenceKey && !change.isTarget(scene)) found.set(key, scene);
    }
  };
  const near = shuffled(neighboursOf(target), random);
  take(near);
  if (found.size === 0) return [];
  for (const scene of near) {
    if (found.size === nearMissCount) break;
    take(shuffled(neighboursOf(scene), random));
  }
  return [...found.values()];
}

function finished(
  planned: readonly Plan[],
  pictures: readonly { readonly scene: Scene; readonly variant: number }[],
  random: () => number,
): MiniBenchmark {
  const gallery = pictures.map(({ scene, variant }, at) => ({ id: at + 1, scene, variant }));
  const byScene = Map.groupBy(gallery, ({ scene }) => sceneKey(scene));
  const picturesOf = (scene: Scene) => (byScene.get(sceneKey(scene)) ?? []).map(({ id }) => id);
  /** The first image of a scene. */
  const pictureOf = (scene: Scene) => byScene.get(sceneKey(scene))!.find(({ variant }) => variant === 0)!.id;
  const queries = planned.map(({ change, targets, nearMisses }, at) => {
    const reference = pictureOf(change.reference);
    const target = pictureOf(targets[0]!);
    const others = change.targets.flatMap(picturesOf).filter((id) => id !== target);
    return {
      id: at + 1,
      kind: change.kind,
      reference,
      text: queryText(change, random),
      target,
      targets: [target, ...others],
      subset: shuffled([reference, target, ...nearMisses.map(pictureOf)], random),
    };
  });
  return { gallery, queries };
}

function countOf(planned: readonly Plan[], kind: ChangeKind): number {
  return planned.filter(({ change }) => change.kind === kind).length;
}

function heldOutScene(random: () => number): Scene {
  let scene = sampleScene(random);
  while (!isHeldOut(scene)) scene = sampleScene(random);
  return scene;
}
