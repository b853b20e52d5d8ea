/** Relevance feedback: moves a query towards images that are like what you want, and away from others. */

import { LincirError, option } from '../core/index.ts';
import { expectDirection } from './batch.ts';
import { directionOf, meanDirection, sum } from './mixing.ts';

export interface Feedback {
  /** Embeddings of images to move towards, of any length. */
  readonly more?: readonly Float32Array[];
  /** Embeddings of images to move away from. */
  readonly less?: readonly Float32Array[];
  /** Default 0.75. */
  readonly moreWeight?: number;
  /** Default 0.25. */
  readonly lessWeight?: number;
}

export const defaultMoreWeight = 0.75;
export const defaultLessWeight = 0.25;

/**
 * Rocchio's formula (The SMART Retrieval System, 1971, chapter 14), with directions:
 * query + moreWeight * the mean direction of `more` - lessWeight * the mean direction of `less`.
 * @param query of length 1
 * @returns a new vector of length 1; the query itself without feedback
 * @throws LincirError 'bad-argument' for a weight without images, and if the parts cancel each other out
 */
export function withFeedback(query: Float32Array, feedback: Feedback): Float32Array {
  const { more = [], less = [], moreWeight, lessWeight } = feedback;
  expectImages('more', more, 'moreWeight', moreWeight);
  expectImages('less', less, 'lessWeight', lessWeight);
  if (more.length + less.length === 0) return query;
  const towards = more.length > 0 ? sum(query, meanDirection(more), moreWeight ?? defaultMoreWeight) : query;
  const moved =
    less.length > 0 ? sum(towards, meanDirection(less), -(lessWeight ?? defaultLessWeight)) : towards;
  const direction = directionOf(moved);
  expectDirection(direction, 'the query with its feedback', {
    zeros: 'parts that cancel each other out',
    todo: 'change a weight, or leave an image out',
  });
  return direction;
}

function expectImages(
  images: 'more' | 'less',
  given: readonly Float32Array[],
  weight: 'moreWeight' | 'lessWeight',
  value: number | undefined,
): void {
  if (value === undefined || given.length > 0) return;
  const subject = option<Feedback>(weight);
  const expected = `images as ${option<Feedback>(images)}`;
  throw new LincirError('bad-argument', { subject, expected, found: 'none', todo: 'leave it out' });
}
