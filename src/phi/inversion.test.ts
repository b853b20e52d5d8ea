/** Textual inversion: its gradient, a plain loop that it must agree with, and that it finds what it looks for. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { computePrefix, loadClip, tokenBatches } from '../clip/index.ts';
import { type Float32Tensor, normals } from '../core/index.ts';
import { CountedSession, inversionGraph } from './graphs.ts';
import { invert } from './inversion.ts';

const clip = await loadClip(join(import.meta.dirname, '../../test/fixtures/tiny-clip'));
after(() => clip.dispose());
const { width, projection } = clip.textConfig;
const { startOfText } = clip.tokenizer;
const model = { config: clip.textConfig, tensors: clip.checkpoint.tensors, startOfText };
const prompt = 'a photo of $';
const { ids } = clip.tokenizer.encode(prompt);
const position = ids.indexOf(clip.tokenizer.idOf('$')!);

/** Where the error is as small as it gets, AdamW makes more and more of rounding: so far it has not come. */
const steps = 100;

function randomRows(rows: number, size: number, moment = 0): Float32Tensor {
  const data = normals({ seed: 5, purpose: 'noise', moment, row: 0 }, rows * size);
  return { shape: [rows, size], data };
}

function rowOf({ shape, data }: Float32Tensor, row: number): Float32Array {
  return data.slice(row * shape[1]!, (row + 1) * shape[1]!);
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, at) => sum + value * y[at]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

/** How well the prompts with these pseudo tokens describe the images. */
async function cosines(pseudo: Float32Tensor, wanted: Float32Tensor): Promise<number[]> {
  const rows = Array.from({ length: pseudo.shape[0]! }, (_, row) => {
    return { ids, injected: [{ position, vector: rowOf(pseudo, row) }] };
  });
  const found = await clip.encodeTokens(rows);
  return rows.map((_, row) => cosine(rowOf(found, row), rowOf(wanted, row)));
}

/** The graph for one image, with nothing but the start of text computed ahead. */
async function openGradient(wanted: Float32Array) {
  const prefix = await computePrefix(model, [startOfText!], {});
  const session = await CountedSession.create(inversionGraph(model), {});
  const at = async (vector: Float32Array) => {
    const [batch] = tokenBatches([{ ids, injected: [{ position, vector }] }], model.config, 100, prefix.ids);
    const feeds = { ...batch!.feeds, ...prefix.feeds, wanted: { shape: [1, projection], data: wanted } };
    const sizes = { batch: 1, positions: ids.length - 1, placements: 1, prefix: 1 };
    const { errors, gradient } = await session.run(feeds, sizes);
    return { error: errors.data[0]!, gradient: gradient.data };
  };
  return { at, dispose: () => session.dispose() };
}

test('the gradient is that of 1 - cos, by central differences', async () => {
  const wanted = rowOf(randomRows(1, projection), 0);
  const vector = rowOf(randomRows(1, width, 1), 0).map((value) => value / 10);
  const graph = await openGradient(wanted);
  const { error, gradient } = await graph.at(vector);
  await graph.dispose();
  const errorAt = async (from: Float32Array): Promise<number> => {
    const [found] = await cosines(
      { shape: [1, width], data: from },
      { shape: [1, projection], data: wanted },
    );
    return 1 - found!;
  };
  assert.ok(Math.abs(error - (await errorAt(vector))) < 1e-5);
  const largest = Math.max(...gradient.map(Math.abs));
  for (let index = 0; index < width; index += 1) {
    const moved = (distance: number) => vector.map((value, at) => value + (at === index ? distance : 0));
    const slope = ((await errorAt(moved(0.01))) - (await errorAt(moved(-0.01)))) / 0.02;
    assert.ok(Math.abs(slope - gradient[index]!) < 0.01 * largest, `${index}: ${slope} ${gradient[index]}`);
  }
});

test('the prompt comes to describe the images', async () => {
  // What some pseudo token leads to: a direction that can be found.
  const targets = Array.from({ length: 6 }, (_, row) => {
    const vector = rowOf(randomRows(6, width, 2), row).map((value) => value / 5);
    return { ids, injected: [{ position, vector }] };
  });
  const embeddings = await clip.encodeTokens(targets);
  const told: number[] = [];
  const before = await cosines(await invert({ clip, embeddings, settings: { steps: 1 } }), embeddings);
  const pseudo = await invert({ clip, embeddings, onProgress: (done) => told.push(done) });
  assert.deepEqual(pseudo.shape, [6, width]);
  for (const [row, after] of (await cosines(pseudo, embeddings)).entries()) {
    assert.ok(1 - after < 0.1 * (1 - before[row]!), `${row}: ${before[row]} before, ${after} after`);
  }
  assert.deepEqual([told.length, told.at(-1)], [350, 6]);
  assert.deepEqual(
    told,
    told.toSorted((a, b) => a - b),
  );
});

test('a plain loop finds the same', async () => {
  const embeddings = randomRows(1, projection);
  // One step that hardly moves, and an average that is its vector: where the pseudo token starts.
  const still = { steps: 1, learningRate: 1e-12, averageDecay: 0 };
  const begin = await invert({ clip, embeddings, settings: still, seed: 3 });
  const spread = Math.hypot(...begin.data) / Math.sqrt(width);
  assert.ok(spread > 0.01 && spread < 0.03, `${spread}`);

  const graph = await openGradient(embeddings.data);
  const v = [...begin.data];
  const average = [...v];
  const first = v.map(() => 0);
  const second = v.map(() => 0);
  for (let step = 1; step <= steps; step += 1) {
    const { gradient } = await graph.at(Float32Array.from(v));
    for (let at = 0; at < width; at += 1) {
      const g = gradient[at]!;
      v[at]! *= 1 - 0.02 * 0.01;
      first[at] = 0.9 * first[at]! + 0.1 * g;
      second[at] = 0.999 * second[at]! + 0.001 * g * g;
      const mean = first[at]! / (1 - 0.9 ** step);
      const deviation = Math.sqrt(second[at]! / (1 - 0.999 ** step));
      v[at]! -= (0.02 * mean) / (deviation + 1e-8);
      average[at] = 0.99 * average[at]! + 0.01 * v[at]!;
    }
  }
  await graph.dispose();
  const found = await invert({ clip, embeddings, seed: 3, settings: { steps } });
  for (const [at, value] of found.data.entries()) {
    assert.ok(Math.abs(value - average[at]!) < 1e-5, `${at}: ${value} for ${average[at]}`);
  }
});

test('an image alone and one among others have the same pseudo token', async () => {
  const embeddings = randomRows(9, projection);
  const keys = Array.from({ length: 9 }, (_, row) => `image ${row}`);
  const together = await invert({ clip, embeddings, keys, settings: { steps } });
  const few = await invert({ clip, embeddings, keys, positionsPerRun: 7, settings: { steps } });
  for (const [row, key] of keys.entries()) {
    const one = { shape: [1, projection], data: rowOf(embeddings, row) };
    const alone = await invert({ clip, embeddings: one, keys: [key], settings: { steps } });
    for (const [at, value] of rowOf(together, row).entries()) {
      assert.ok(Math.abs(value - alone.data[at]!) < 1e-5, `${key}, ${at}: ${value} ${alone.data[at]}`);
      assert.ok(Math.abs(value - rowOf(few, row)[at]!) < 1e-5);
    }
  }
});

test('draws are by key and seed, and lengths do not matter', async () => {
  const one = randomRows(1, projection);
  const settings = { steps: 3 };
  const embeddings = { shape: [2, projection], data: Float32Array.from([...one.data, ...one.data]) };
  const same = await invert({ clip, embeddings, settings, keys: ['a', 'a'] });
  assert.deepEqual(rowOf(same, 0), rowOf(same, 1));
  const other = await invert({ clip, embeddings, settings, keys: ['a', 'b'] });
  assert.notDeepEqual(rowOf(other, 0), rowOf(other, 1));
  const seeded = await invert({ clip, embeddings, settings, keys: ['a', 'a'], seed: 1 });
  assert.notDeepEqual(rowOf(seeded, 0), rowOf(same, 0));
  const longer = { shape: [1, projection], data: one.data.map((value) => 8 * value) };
  const found = await invert({ clip, embeddings: longer, settings, keys: ['a'] });
  for (const [at, value] of found.data.entries()) assert.ok(Math.abs(value - same.data[at]!) < 1e-5);
});

test('other prompts, no images, and an end at any step', async () => {
  const embeddings = randomRows(2, projection);
  const end = await invert({ clip, embeddings, prompt: '$', settings: { steps: 2 } });
  const middle = await invert({ clip, embeddings, prompt: 'a $ dog', settings: { steps: 2 } });
  assert.notDeepEqual(end.data, middle.data);
  const none = await invert({ clip, embeddings: { shape: [0, projection], data: new Float32Array() } });
  assert.deepEqual(none.shape, [0, width]);
  const signal = AbortSignal.timeout(50);
  const endless = invert({ clip, embeddings, settings: { steps: 1e9 }, signal });
  await assert.rejects(endless, { name: 'TimeoutError' });
});

test('what cannot be is refused by name', async () => {
  const embeddings = randomRows(2, projection);
  const refusal = async (options: Partial<Parameters<typeof invert>[0]>, message: RegExp) => {
    await assert.rejects(invert({ clip, embeddings, ...options }), { name: 'LincirError', message });
  };
  await refusal({ prompt: 'a photo' }, /the prompt "a photo": expected one \$.*found 0 of them/);
  await refusal({ prompt: '$ and $' }, /found 2 of them/);
  await refusal({ prompt: `$ ${'long '.repeat(80)}` }, /found more tokens/);
  await refusal({ keys: ['a'] }, /keys: expected 2, one an embedding, found 1/);
  await refusal({ embeddings: randomRows(2, projection + 1) }, /embeddings: expected \[n, 24\]/);
  await refusal(
    { settings: { steps: 0 } },
    /the inversion: steps: expected at least 1, found \{"steps":0\}$/,
  );
  await refusal({ settings: { averageDecay: 1 } }, /averageDecay: expected below 1/);
  embeddings.data.fill(0, projection);
  await refusal({ keys: ['cat.jpg', 'dog.jpg'] }, /"dog.jpg": expected one with a direction/);
  const settings = { learningRate: 1e38, weightDecay: 1e38, steps: 4 };
  await refusal({ embeddings: randomRows(1, projection), settings }, /pseudo token of image "0"/);
});
