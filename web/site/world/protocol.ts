/** What the page asks of the miniature world, and what comes back: the types that the page and the workers share. */

import type { ErrorCode, Problem } from '../../../src/core/index.ts';
import type { MiniBenchmark, MiniQuery } from '../../../src/mini/portable.ts';

export type { MiniQuery, Scene } from '../../../src/mini/portable.ts';

/** A picture of the gallery. `sceneSvg(scene, side, variant)` draws it. */
export type Picture = MiniBenchmark['gallery'][number];

/** The phi that came with the page, or the one that learns in it. */
export type PhiChoice = 'ready' | 'learning';

/** The methods that answer side by side, in the order in which they are shown. */
export const shownMethods = ['lincir', 'image', 'text', 'sum'] as const;
export type ShownMethod = (typeof shownMethods)[number];

export interface SearchOptions {
  /** A picture of the gallery, by its id, or one that somebody drew. Absent: words alone. */
  readonly reference?: number | ImageData | Blob;
  /** What should be different, such as `is red`. Absent: the picture alone. */
  readonly words?: string;
  /** Default: 'ready'. */
  readonly phi?: PhiChoice;
  /** Pictures of each ranking. Default: 12. */
  readonly top?: number;
}

export interface Hit {
  readonly id: number;
  /** Cosine of the query and the picture. */
  readonly score: number;
  /** Whether it is a right answer; undefined where nobody knows, because the benchmark does not ask this. */
  readonly isRight: boolean | undefined;
}

/** One method's answer, best first. The reference itself is left out. */
export interface Ranking {
  readonly method: ShownMethod;
  /** What the text tower read, with `$` for the pseudo token. Absent if it read nothing. */
  readonly prompt?: string;
  /** The text's weight, in 'sum'. */
  readonly weight?: number;
  readonly hits: readonly Hit[];
  /** Average precision at 10 in percent, by the benchmark's rule, if the benchmark asks this query. */
  readonly averagePrecision?: number;
}

export interface SearchAnswer {
  /** A ranking for each method that can answer: without words there are 'lincir' and 'image', without a picture 'text'. */
  readonly rankings: readonly Ranking[];
  /** The benchmark's query, if it is one: reference and words are the same. */
  readonly query?: MiniQuery;
  /** The steps that the learning phi had done; undefined with the ready one. */
  readonly step?: number;
  /** From the question to the answer, in the worker. */
  readonly milliseconds: number;
}

/** mAP@10 in percent, on the benchmark's 600 queries over 4,000 pictures. */
export interface Evaluation {
  readonly meanAveragePrecision: number;
  /** By kind of change. */
  readonly byKind: Readonly<Record<string, number>>;
  /** The steps that the learning phi had done; undefined with the ready one. */
  readonly step?: number;
  readonly seconds: number;
}

/** A caption that becomes a masked caption. */
export interface MaskedExample {
  /** As training reads it. */
  readonly caption: string;
  /** Its keywords: each becomes the pseudo token. From `start` to before `end`, in UTF-16 units. */
  readonly keywords: readonly { readonly start: number; readonly end: number }[];
  /** With `$` for each keyword. */
  readonly masked: string;
  /** The caption's error in this step: how far the masked caption with the pseudo token is from the caption. */
  readonly error?: number;
}

/** All that a page shows of learning. A new object after each change. */
export interface LearningState {
  readonly phase: 'idle' | 'preparing' | 'learning' | 'stopping' | 'finished' | 'failed';
  /** What 'preparing' does, and how much of it is done, from 0 to 1. */
  readonly preparing?: { readonly what: 'engine' | 'captions' | 'graphs'; readonly part: number };
  /** Steps that are done. */
  readonly step: number;
  /** Steps of the whole recipe. */
  readonly steps: number;
  /** Captions of a step. */
  readonly batch: number;
  /** The loss of each step that is done. */
  readonly losses: readonly number[];
  readonly captionsPerSecond?: number;
  readonly secondsLeft?: number;
  /** Some captions of the last step. */
  readonly examples: readonly MaskedExample[];
  /** Whether what is learnt outlives the tab. If not, `storageProblem` says why, and learning goes on in memory. */
  readonly isStored: boolean;
  readonly storageProblem?: string;
  /** Threads of the engine, and why there are no more of them. */
  readonly threads?: Threads;
  /** In the phase 'failed'. `start` tries again, from the last step that was kept. */
  readonly error?: Error;
}

export interface Threads {
  readonly count: number;
  /** Why there is only one, if more would be possible elsewhere. */
  readonly why?: 'not isolated' | 'one core';
}

/** An error on its way between threads. */
export interface Failure {
  readonly message: string;
  readonly code?: ErrorCode;
  readonly problem?: Omit<Problem, 'cause'>;
}

export interface WorldOptions {
  /** Called with the bytes of the download so far, and of all that the first answer needs. */
  readonly onProgress?: (bytes: number, total: number) => void;
  /** Called when pictures, queries and figures are known: questions may be asked, and are answered as soon as that is possible. */
  readonly onKnown?: () => void;
  /** Called when a worker ended that should not have: nothing will answer. Close this world, and open another. */
  readonly onFailure?: (error: Error) => void;
  /** The folder that `pack.ts` made. Default: `world/` beside the page. */
  readonly data?: URL;
}

/** Learning phi from captions, by the recipe of `lincir train --model mini --captions mini:captions`. */
export interface Learning {
  /** How far it is. What an earlier visit has learnt is known soon after `ready()`. */
  readonly state: LearningState;
  /** Calls `listener` after each change, a few times a second at most. Returns what ends that. */
  subscribe(listener: (state: LearningState) => void): () => void;
  /** Begins, or goes on. Resolves when it runs; failures come with the state, too. */
  start(): Promise<void>;
  /** Ends after what is being computed, within a part of a second, and keeps what is learnt. */
  stop(): Promise<void>;
  /** Forgets what is learnt, here and in the browser's storage. */
  forget(): Promise<void>;
}

/** Owns workers: close it. */
export interface World {
  /** Resolves when questions can be answered. Rejects with a LincirError, when a download failed, for example. */
  ready(): Promise<void>;
  /** All pictures of the gallery, in the order of their ids, from 1; empty before `onKnown`. */
  readonly pictures: readonly Picture[];
  /** The benchmark's queries; empty before `onKnown`. */
  readonly queries: readonly MiniQuery[];
  /** mAP@10 of each method in percent, with the ready phi; undefined before `onKnown`. */
  readonly figures: Readonly<Record<ShownMethod, number>> | undefined;
  /** A picture of the gallery as SVG, drawn now. Throws 'bad-argument' for an id that there is not. */
  drawing(id: number, side?: number): string;
  /**
   * Rankings by all methods, side by side. Also while phi learns.
   * @throws LincirError 'bad-argument' for a query without picture and words, or with too many words
   */
  search(options: SearchOptions): Promise<SearchAnswer>;
  /** The benchmark's figures for a phi as it is now; without training phi 'learning' is not there: 'bad-argument'. */
  evaluate(phi?: PhiChoice): Promise<Evaluation>;
  readonly learn: Learning;
  /** Threads that learning has, and why there are no more of them. */
  readonly threads: Threads;
  close(): void;
}

/** What one caption goes through in training, with numbers to draw. */
export interface Reading {
  /** The caption's embedding, of length 1: what phi gets. */
  readonly caption: Float32Array;
  /** phi's pseudo token. */
  readonly token: Float32Array;
  /** The embedding of the masked caption with the pseudo token for each `$`, of length 1: to be the same as `caption`. */
  readonly masked: Float32Array;
}

/** What the page explains the method with: live, and without training. `World` is to extend this. */
export interface Explaining {
  /** A caption that `lincir train --captions mini:captions` reads, masked by the same tagger; another one at each call. */
  example(): Promise<MaskedExample>;
  /** Passes a caption through the training step of phi: the ready one, the one that learns, or one with random weights. */
  read(example: MaskedExample, phi?: PhiChoice | 'untrained'): Promise<Reading>;
  /** Cosines of pictures of the gallery with texts: a row for each picture. */
  cosines(pictures: readonly number[], texts: readonly string[]): Promise<readonly (readonly number[])[]>;
}
