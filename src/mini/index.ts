/** The miniature world: scenes with meaning, their pictures and captions, a small CLIP of its own, and its benchmark. */

export { type BenchmarkSizes, buildBenchmark, type MiniBenchmark, type MiniQuery } from './benchmark.ts';
export { miniPictures, writeMiniBenchmark } from './benchmark-files.ts';
export { mini } from './benchmark-kind.ts';
export { madeMiniCaptions, miniCaptions, miniCaptionsName, miniRecipe } from './captions.ts';
export { type DemoPage, type DemoQuery, demoPage } from './demo-page.ts';
export { caption, templateCount } from './grammar.ts';
export { renderScene, sceneSvg } from './render.ts';
export { isHeldOut, type Scene, sampleScene, sceneKey } from './scene.ts';
