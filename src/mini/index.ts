/** The miniature world: scenes with meaning, their images and captions, a small CLIP of its own, and its benchmark. */

export {
  type BenchmarkSizes,
  buildBenchmark,
  type MiniBenchmark,
  type MiniQuery,
} from './benchmark/benchmark.ts';
export { miniImages, writeMiniBenchmark } from './benchmark/files.ts';
export { type DemoPage, type DemoQuery, demoPage } from './demo/page.ts';
export { madeMiniCaptions, miniCaptions, miniRecipe } from './grammar/captions.ts';
export { caption, templateCount } from './grammar/grammar.ts';
export { renderScene, sceneSvg } from './world/render.ts';
export { isHeldOut, type Scene, sampleScene, sceneKey } from './world/scene.ts';
