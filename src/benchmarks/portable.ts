/** What needs no platform of benchmarks: the measures of rankings, and what serves the miniature world best. */

export { miniPrompts, miniWeights } from './kinds/mini-prompts.ts';
export { averagePrecisions, recalls } from './measures.ts';
