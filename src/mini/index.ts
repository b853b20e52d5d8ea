/** The miniature world: scenes with meaning, their images and captions, a small CLIP of its own, and its benchmark. */

export { drawImages, miniImages, writeMiniBenchmark } from './benchmark/files.ts';
export * from './portable.ts';
