/** Gradients in float16: without a scale they become 0, with it none does, and one that overflows is computed again. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { computePrefix, loadClip, tokenBatches } from '../src/clip/index.ts';
import { withHalfProducts } from '../src/onnx/half.ts';
import { Session, type Value } from '../src/onnx/index.ts';
import { withPlainOperators } from '../src/onnx/plain.ts';
import { encoderGraph, reconstructionGraph } from '../src/phi/index.ts';
import { withFiniteGradient } from '../src/training/loss-scale.ts';

const folder = join(import.meta.dirname, 'fixtures/tiny-clip');
const clip = await loadClip(folder);
const { textConfig: config, tokenizer } = clip;
const { startOfText } = tokenizer;
const model = { config, tensors: clip.checkpoint.tensors, startOfText };
const prefix = await computePrefix(model, [startOfText!], {});

/** Captions with a pseudo token each, in one batch. */
const rows = ['a red dog', 'two cats on a chair', 'snow'].map((text, row) => {
  const vector = Float32Array.from({ length: config.width }, (_, at) => 0.05 * Math.sin(1 + row + at));
  return { ids: tokenizer.encode(text).ids, injected: [{ position: 1 + row, vector }] };
});
const batch = tokenBatches(rows, config, 1e6, prefix.ids)[0]!;
const shape = [rows.length, config.projection];

/**
 * Runs a reconstruction's graph, in float16 with `isHalf`, on what is `distance` away from what the tower finds in that
 * precision. ONNX Runtime's CPU rounds what products take and give, which is all that matters here.
 */
async function reconstruction(context: TestContext, distance: number, isHalf: boolean, isScaled: boolean) {
  const open = async (graph: Readonly<Record<string, Value>>) => {
    // Both graphs compute an activation in one form: a hardly wrong embedding must not be off by other rounding.
    const plain = withPlainOperators(graph, ['MultiHeadAttention']);
    const session = await Session.create(isHalf ? withHalfProducts(plain) : plain);
    context.after(() => session.dispose());
    return session;
  };
  const encoder = await open(encoderGraph(model));
  const session = await open(reconstructionGraph(model, isScaled));
  const { embeddings } = await encoder.run<'embeddings'>({ ...batch.feeds, ...prefix.feeds });
  const data = embeddings.data.map((value, at) => value + distance * Math.cos(at));
  const given = { ...batch.feeds, ...prefix.feeds, wanted: { shape, data } };
  return async (scale = 1) => {
    const scales = { scale: { shape: [], data: Float32Array.of(scale) } };
    const feeds = isScaled ? { ...given, ...scales } : given;
    const { errors, gradient } = await session.run<'errors' | 'gradient'>(feeds);
    return { errors: errors.data, gradient: gradient.data };
  };
}

function relativeDistance(found: Float32Array, expected: Float32Array): number {
  const squares = (values: Float32Array) => values.reduce((sum, value) => sum + value * value, 0);
  return Math.sqrt(squares(found.map((value, at) => value - expected[at]!)) / squares(expected));
}

const tolerance = 1e-2;

/** How far a nearly right embedding is off. Over the 1,280 dimensions of ViT-G, 5e-5 has as small a gradient. */
const near = 1e-6;

test('without a scale, small gradients are lost in float16; with it, none is', async (context) => {
  const exact = await (await reconstruction(context, near, false, false))();
  assert.ok(exact.gradient.every((value) => value !== 0));
  const lost = await (await reconstruction(context, near, true, false))();
  assert.ok(relativeDistance(lost.gradient, exact.gradient) > 0.5);
  const kept = await withFiniteGradient(await reconstruction(context, near, true, true));
  assert.ok(relativeDistance(kept.gradient!, exact.gradient) < tolerance);
});

test('scaling is exact: in float32 it changes nothing but rounding', async (context) => {
  const exact = await (await reconstruction(context, 0.1, false, false))();
  const scaled = await (await reconstruction(context, 0.1, false, true))(2 ** 8);
  assert.ok(relativeDistance(scaled.gradient, exact.gradient) < 1e-5);
  assert.deepEqual(scaled.errors, exact.errors);
});

test('a batch whose gradient overflows is computed again with smaller scales, until it is finite', async (context) => {
  const run = await reconstruction(context, 0.1, true, true);
  const scales: number[] = [];
  const counted = async (scale: number) => {
    scales.push(scale);
    return await run(scale);
  };
  const first = 2 ** 24;
  assert.ok(!(await run(first)).gradient.every(Number.isFinite));
  const found = await withFiniteGradient(counted, first);
  assert.ok(scales.length > 1 && scales.length < 5, `${scales}`);
  const { gradient } = await (await reconstruction(context, 0.1, false, false))();
  assert.ok(relativeDistance(found.gradient!, gradient) < tolerance);
});

test('an error that is not finite is no reason to try again', async () => {
  let runs = 0;
  const broken = { errors: Float32Array.of(Number.NaN), gradient: Float32Array.of(Number.NaN) };
  const result = await withFiniteGradient(async () => {
    runs += 1;
    return broken;
  });
  assert.equal(runs, 1);
  assert.equal(result, broken);
});

test('a caption without any error is no division by 0', async (context) => {
  const { gradient } = await (await reconstruction(context, 0, false, true))(2 ** 8);
  assert.ok(gradient.every((value) => Math.abs(value) < 1e-4));
});
