/** What needs no platform of the miniature world: its scenes, drawings, captions, and the queries of its benchmark. */

export { buildBenchmark, type MiniBenchmark, type MiniQuery } from './benchmark/benchmark.ts';
export {
  madeMiniCaptions,
  miniCaptionCount,
  miniCaptionMaker,
  miniCaptions,
  miniRecipe,
} from './grammar/captions.ts';
export { caption } from './grammar/grammar.ts';
export { queryText } from './grammar/queries.ts';
export { type Change, changesOf } from './world/changes.ts';
export { sceneSvg } from './world/render.ts';
export {
  type Attribute,
  attributes,
  backgrounds,
  isPossible,
  type Scene,
  type SceneObject,
  sampleScene,
  sceneKey,
} from './world/scene.ts';
