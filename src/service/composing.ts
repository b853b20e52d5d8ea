/** Turns a request into a query's vector: finds its images, and has what must be encoded encoded. */

import type { ComposeRequest, ImageReference } from '../api/index.ts';
import type { Clip } from '../clip/index.ts';
import {
  asEncoded,
  composeAll,
  composePrompt,
  type EmbeddedImage,
  expectDirection,
  expectTexts,
  type Method,
  methodOf,
  methods,
  weightOf,
  withFeedback,
} from '../composition/index.ts';
import { LincirError, normalizeRows } from '../core/index.ts';
import { phiPresetFor } from '../hub/index.ts';
import type { Lanes } from './lanes.ts';
import { shownName } from './names.ts';
import type { QueryModel } from './served-index.ts';
import type { RequestScope } from './service.ts';

/** An image of a query, and what the index knows of it. */
export interface ResolvedImage extends EmbeddedImage {
  /** SHA-256 of its bytes, in hex. */
  readonly hash: string;
  /** The id, if it is an image of the index. */
  readonly id?: string;
}

export interface ComposedRequest {
  /** Of length 1. */
  readonly vector: Float32Array;
  readonly method: Method | 'vector';
  readonly prompt?: string;
  readonly weight?: number;
  /** The query's own images. */
  readonly references: readonly ResolvedImage[];
  /** Milliseconds of each stage. */
  readonly timings: Readonly<Record<string, number>>;
}

interface ComposingTools {
  readonly model: QueryModel;
  readonly lanes: Lanes;
  readonly resolve: (reference: ImageReference) => Promise<ResolvedImage>;
  readonly scope: RequestScope;
}

/** @throws LincirError 'bad-argument' for a request that is no query, and what its images and lanes throw */
export async function composeRequest(
  request: ComposeRequest,
  { model, lanes, resolve, scope }: ComposingTools,
): Promise<ComposedRequest> {
  const { images = [], more = [], less = [], moreWeight, lessWeight } = request;
  const method = request.vector === undefined ? checkedMethod(request, model) : 'vector';
  if (request.vector !== undefined) expectAlone(request, request.vector, model.clip);
  const begin = performance.now();
  const [references, liked, disliked] = await Promise.all(
    [images, more, less].map((some) => Promise.all(some.map(resolve))),
  );
  scope.signal.throwIfAborted();
  const found = performance.now() - begin;
  const own = await queryOf(request, method, references!, { model, lanes, scope });
  const embeddingsOf = (some: readonly ResolvedImage[]) => some.map((image) => asEncoded(image, false));
  const vector = withFeedback(own.vector, {
    ...{ more: embeddingsOf(liked!), less: embeddingsOf(disliked!), moreWeight, lessWeight },
  });
  return { ...own, vector, references: references!, timings: { images: found, ...own.timings } };
}

/** Advice on getting a phi for a model. */
export function phiAdvice({ clip }: QueryModel, modelName: string): string {
  const preset = phiPresetFor(clip.id);
  return `start the server with a phi for ${modelName}${preset ? `, such as ${preset.name}` : ''}`;
}

/** The method of a request, before anything is fetched or encoded. */
function checkedMethod(request: ComposeRequest, model: QueryModel): Method {
  const { images = [], text, without, weight } = request;
  const method = methodOf({ ...request, phi: model.phi ?? 'none' });
  if (methods[method].pseudoTokens && model.phi === undefined) {
    throw new LincirError('bad-argument', {
      subject: `method ${method}`,
      expected: 'phi, which makes a pseudo token of an image',
      found: 'none for this index',
      todo: `${phiAdvice(model, shownName(model.toRun.name))}, or use the method sum`,
    });
  }
  weightOf(method, weight);
  expectTexts(method, { images: images.length, text, without }, model.clip);
  return method;
}

/** A ready vector stands for images and text. */
function expectAlone(
  request: ComposeRequest,
  vector: readonly number[],
  { visionConfig: { projection } }: Clip,
): void {
  const { images, text, without, method, weight } = request;
  const refuse = (expected: string, found: string) =>
    new LincirError('bad-argument', { subject: 'vector', expected, found });
  if (images || text !== undefined || without !== undefined || method || weight !== undefined) {
    throw refuse('no images, text, method or weight beside it', 'some of these');
  }
  if (vector.length !== projection) throw refuse(`${projection} numbers`, `${vector.length}`);
  expectDirection(Float32Array.from(vector), 'vector');
}

/** The query without feedback. */
async function queryOf(
  request: ComposeRequest,
  method: Method | 'vector',
  references: readonly ResolvedImage[],
  { model, lanes, scope }: Pick<ComposingTools, 'model' | 'lanes' | 'scope'>,
): Promise<Omit<ComposedRequest, 'references'>> {
  const { clip, toRun, phi } = model;
  if (method === 'vector') {
    const vector = Float32Array.from(request.vector!);
    normalizeRows(vector, vector.length);
    return { vector, method, timings: {} };
  }
  const { text, without, withoutWeight } = request;
  const { needs, pseudoTokens } = methods[method];
  const weight = weightOf(method, request.weight);
  const needsNorm = pseudoTokens !== undefined && phi!.needsNorm;
  const images = (needs.includes('image') ? references : []).map((image, at) => {
    const embedding = asEncoded(image, needsNorm);
    expectDirection(embedding, `the embedding of image ${at + 1}`, {
      todo: 'use another image, model or index',
    });
    return embedding;
  });
  const written = needs.includes('text') ? text : undefined;
  const prompt = pseudoTokens ? composePrompt(text ?? '', references.length, clip.tokenizer).text : written;
  const facts = {
    method,
    ...(prompt !== undefined && { prompt }),
    ...(weight !== undefined && { weight }),
  };
  if (prompt === undefined && without === undefined)
    return { ...facts, vector: await meanOf(images, clip), timings: {} };
  const job = { model: toRun, method, weight, withoutWeight, images, text, without } as const;
  const begin = performance.now();
  const composed = await lanes.text(
    { kind: 'compose', ...job, ...(pseudoTokens && { phi: phi!.name }) },
    scope,
  );
  return {
    ...facts,
    vector: composed.vector,
    timings: { ...composed.timings, compose: performance.now() - begin },
  };
}

/** Images alone need no tower. */
async function meanOf(images: readonly Float32Array[], clip: Clip): Promise<Float32Array> {
  const size = clip.visionConfig.projection;
  const data = new Float32Array(images.length * size);
  for (const [at, image] of images.entries()) data.set(image, at * size);
  const queries = [{ images: [...images.keys()], texts: [] }];
  const embeddings = { shape: [images.length, size], data };
  return (await composeAll('image', queries, { clip, embeddings })).vectors;
}
