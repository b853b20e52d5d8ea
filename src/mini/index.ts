/** The miniature world: scenes with meaning, their images and captions, a small CLIP of its own, and its benchmark. */

export { buildBenchmark, type MiniBenchmark, type MiniQuery } from './benchmark/benchmark.ts';
export { drawImages, miniImages, writeMiniBenchmark } from './benchmark/files.ts';
export { madeMiniCaptions, miniRecipe } from './grammar/captions.ts';
export { caption } from './grammar/grammar.ts';
export { sceneSvg } from './world/render.ts';
