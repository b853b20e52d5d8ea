/** The contract of a benchmark: which images and queries there are, and how rankings are scored; nothing else. */

import type { Region } from '../pictures/index.ts';

/** An image, or the part of one that the benchmark shows. */
export interface BenchmarkImage {
  /** Unique among the benchmark's images. */
  readonly id: string;
  /** Absolute; it lies in the benchmark's folder. */
  readonly path: string;
  /** What is seen of it. Absent: all. */
  readonly region?: Region;
}

/** One composed query. Images are named by their ids. */
export interface BenchmarkQuery {
  /** As the annotations have it; unique. */
  readonly id: string;
  readonly reference: string;
  /** What stands for `{text}` in prompts. The query is the mean direction of the prompts that several make. */
  readonly texts: readonly string[];
  /** Ranks the images of this gallery, but for those of `exclude`. */
  readonly gallery?: string;
  readonly exclude?: readonly string[];
  /** Ranks these few images, too, in a list of their own. */
  readonly candidates?: readonly string[];
  /** All right answers; absent where the benchmark keeps them secret. */
  readonly targets?: readonly string[];
  /** What the results are broken down by: a category, a task, aspects of meaning. */
  readonly groups: readonly string[];
}

/** What a method found for one query: ids, the best first. */
export interface Ranking {
  /** The first `topK` of the gallery. */
  readonly gallery?: readonly string[];
  /** All candidates. */
  readonly candidates?: readonly string[];
}

/** How words are put around an image (`$`) and a text (`{text}`). */
export interface Prompt {
  readonly composed: string;
  /** For methods that read the text alone. */
  readonly text: string;
}

/** Of benchmarks whose texts say what is different. */
export const relativePrompt: Prompt = { composed: 'a photo of $ that {text}', text: '{text}' };

export interface Benchmark {
  readonly name: string;
  /** The protocol with its split and variants, as reports state it: `cirr val`, `genecis, as released`. */
  readonly preset: string;
  /** Where its files are. */
  readonly folder: string;
  readonly images: readonly BenchmarkImage[];
  /**
   * Whether images are turned as their files ask (EXIF). The evaluators that published figures come from open them with
   * Pillow, which does not, and boxes and masks are in the pixels as they are stored. Default false.
   */
  readonly isUpright?: boolean;
  /** Ids of the images of each gallery, each once. */
  readonly galleries: ReadonlyMap<string, readonly string[]>;
  readonly queries: readonly BenchmarkQuery[];
  readonly prompt: Prompt;
  /** How many ranks of a gallery scores look at. */
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

/** What of a benchmark is wanted. */
export interface OpenBenchmarkOptions {
  /** Default: the first of the benchmark's splits. */
  readonly split?: string | undefined;
  /** A named deviation from the protocol. */
  readonly variant?: string | undefined;
  /** Only these of its tasks or categories. Default: all. */
  readonly only?: readonly string[] | undefined;
  /** Take annotations that are not the published ones, such as other counts. Default: they are refused. */
  readonly anyVersion?: boolean | undefined;
}

/** One kind of benchmark: what `lincir eval NAME` opens. */
export interface BenchmarkKind {
  readonly name: string;
  /** A line for people. */
  readonly description: string;
  readonly splits: readonly string[];
  readonly variants: readonly string[];
  /** Its tasks or categories, where it has such. */
  readonly parts: readonly string[];
  /** Where its files come from, and how they lie in the folder: what to tell who lacks them. */
  readonly source: string;
  /**
   * Reads and checks the annotations; looks at no image.
   * @throws LincirError 'not-found' and 'bad-file' naming file, query and field, 'bad-argument' for options it lacks
   */
  readonly open: (folder: string, options: OpenBenchmarkOptions) => Promise<Benchmark>;
  /** The official format of predictions, where there is one: see `predictions.ts`. */
  readonly predictions?: PredictionFormat;
}

/** An official submission format. */
export interface PredictionFormat {
  /** Which of a ranking's lists each of its files holds, by the name that ends the file's: `recall`, `recall_subset`. */
  readonly files: Readonly<Record<string, keyof Ranking>>;
  /** A file's content for rankings of all queries, in the benchmark's order. */
  readonly write: (file: string, benchmark: Benchmark, rankings: ReadonlyMap<string, Ranking>) => unknown;
  /**
   * What a file's JSON says, by query id, checked against the server's published rules.
   * @param subject the file's name, for messages
   * @throws LincirError 'bad-file' naming the query: twice the same id, too few, unknown or non-integer ids
   */
  readonly read: (json: unknown, benchmark: Benchmark, subject: string) => ReadonlyMap<string, Ranking>;
}
