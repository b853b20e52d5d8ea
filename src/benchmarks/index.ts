/** Benchmarks of composed retrieval: their data, their scores, and the methods that are compared on them. */

export type {
  Benchmark,
  BenchmarkImage,
  BenchmarkKind,
  BenchmarkQuery,
  OpenBenchmarkOptions,
  Prompt,
  Ranking,
} from './benchmark.ts';
export { type Comparison, compareResults } from './compare.ts';
export { embedImages } from './embed-images.ts';
export {
  type EvaluateOptions,
  type Evaluation,
  type EvaluationProgress,
  evaluate,
  rankAll,
  validationOn,
} from './evaluate.ts';
export type { ImageProblem } from './image-facts.ts';
export { type MethodToEvaluate, methodToEvaluate } from './methods.ts';
export { kindNamed, openBenchmark, openKind } from './open.ts';
export { openMethods } from './open-methods.ts';
export { scorePredictions } from './predicted.ts';
export { promptOf, wordingsOf } from './prompts.ts';
export {
  type ComparedFigure,
  compareFigures,
  figuresOf,
  type KnownFigures,
  type PublishedFigures,
  publishedFigures,
} from './published.ts';
export { evaluationReport } from './report/page.ts';
export { type Figure, namedModel, type Results } from './results.ts';
export { expectRoomForResults, readResults, writeEvaluation } from './results-file.ts';
export { writeSubmission } from './submission.ts';
