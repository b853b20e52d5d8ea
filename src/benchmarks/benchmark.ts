/** The contract of a benchmark: its images, its queries, and how it scores rankings. */

import type { Region } from '../pictures/index.ts';

/** An image, or the region of one that the benchmark shows. */
export interface BenchmarkImage {
  /** Unique among the benchmark's images. */
  readonly id: string;
  /** Absolute; in the benchmark's folder. */
  readonly path: string;
  /** The visible region. Absent: the whole image. */
  readonly region?: Region;
}

/** One composed query. Images are named by their ids. */
export interface BenchmarkQuery {
  /** The annotations' id; unique. */
  readonly id: string;
  readonly reference: string;
  /** What replaces `{text}` in prompts. With several texts, the query is the mean direction of their prompts. */
  readonly texts: readonly string[];
  /** Ranks the images of this gallery, except those of `exclude`. */
  readonly gallery?: string;
  readonly exclude?: readonly string[];
  /** Also ranks these few images, in a list of their own. */
  readonly candidates?: readonly string[];
  /** All right answers; absent if the benchmark keeps them secret. */
  readonly targets?: readonly string[];
  /** Groups that results are broken down by: a category, a task, aspects of meaning. */
  readonly groups: readonly string[];
}

/** What a method found for one query: ids, the best first. */
export interface Ranking {
  /** The first `topK` of the gallery. */
  readonly gallery?: readonly string[];
  /** All candidates. */
  readonly candidates?: readonly string[];
}

/** Words around an image (`$`) and a text (`{text}`). */
export interface Prompt {
  readonly composed: string;
  /** For methods that read the text alone. */
  readonly text: string;
}

/** The prompt of benchmarks whose texts say what is different. */
export const relativePrompt: Prompt = { composed: 'a photo of $ that {text}', text: '{text}' };

export interface Benchmark {
  readonly name: string;
  /** The protocol with its split and variants, as in reports: `cirr val`, `genecis, as released`. */
  readonly preset: string;
  /** Where its files are. */
  readonly folder: string;
  readonly images: readonly BenchmarkImage[];
  /**
   * Whether images are turned as their files ask (EXIF). The evaluators of published figures use Pillow, which does not
   * turn them, and boxes and masks refer to the stored pixels. Default false.
   */
  readonly isUpright?: boolean;
  /** Ids of the images of each gallery, each once. */
  readonly galleries: ReadonlyMap<string, readonly string[]>;
  readonly queries: readonly BenchmarkQuery[];
  readonly prompt: Prompt;
  /** How many ranks of a gallery the scores need. */
  readonly topK: number;
  /** In the order of tables. */
  readonly metrics: readonly string[];
  /** The metric by which methods are compared. */
  readonly primaryMetric: string;
  /** Whether a figure is the mean over queries, or the mean of its means over each group. */
  readonly mean: 'queries' | 'groups';
  /**
   * Every metric of one query, 0 to 1, that the ranking's lists allow. Only for queries with `targets`. A ranking may be
   * shorter than `topK`.
   */
  readonly score: (query: BenchmarkQuery, ranking: Ranking) => Readonly<Record<string, number>>;
}

/** Which part of a benchmark to open. */
export interface OpenBenchmarkOptions {
  /** Default: the first of the benchmark's splits. */
  readonly split?: string;
  /** A named deviation from the protocol. */
  readonly variant?: string;
  /** Only these of its tasks or categories. Default: all. */
  readonly only?: readonly string[];
  /** Accept annotations that are not the published ones, for example with other counts. Default: refuse them. */
  readonly anyVersion?: boolean;
}

/** One kind of benchmark: what `lincir eval NAME` opens. */
export interface BenchmarkKind {
  readonly name: string;
  /** A line for people. */
  readonly description: string;
  readonly splits: readonly string[];
  readonly variants: readonly string[];
  /** Its tasks or categories, if it has any. */
  readonly parts: readonly string[];
  /** Where to get its files, and how to lay them out: advice for users who lack them. */
  readonly source: string;
  /**
   * Reads and checks the annotations, but no image.
   * @throws LincirError 'not-found' and 'bad-file' naming file, query and field, 'bad-argument' for options it lacks
   */
  readonly open: (folder: string, options: OpenBenchmarkOptions) => Promise<Benchmark>;
  /** The official format of predictions, if there is one: see `predictions.ts`. */
  readonly predictions?: PredictionFormat;
}

/** An official submission format. */
export interface PredictionFormat {
  /** Its files: the list of a ranking that each has, by the end of the file's name: `recall`, `recall_subset`. */
  readonly files: Readonly<Record<string, keyof Ranking>>;
  /** The content of a file, from rankings of all queries in the benchmark's order. */
  readonly write: (file: string, benchmark: Benchmark, rankings: ReadonlyMap<string, Ranking>) => unknown;
  /**
   * Reads a file's JSON, by query id, and checks it against the server's published rules.
   * @param subject the file's name, for messages
   * @throws LincirError 'bad-file' naming the query: twice the same id, too few, unknown or non-integer ids
   */
  readonly read: (json: unknown, benchmark: Benchmark, subject: string) => ReadonlyMap<string, Ranking>;
}
