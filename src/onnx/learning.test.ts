/** The engine learns: two small towers and their temperature, trained together with AdamW. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Inputs } from '../../test/operator-cases.ts';
import type { Float32Tensor } from '../core/index.ts';
import { adamW } from '../phi/index.ts';
import { crossEntropy, l2Normalize, layerNorm, linear } from './functions.ts';
import { gradients } from './gradients.ts';
import * as op from './operators.ts';
import { Session } from './session.ts';
import { constant, input, type Value } from './values.ts';

const [things, width, embedding, patches, patchArea] = [6, 8, 4, 4, 4];
const shapes = {
  'patch.weight': [width, patchArea],
  'patch.bias': [width],
  'norm.weight': [width],
  'norm.bias': [width],
  'query.weight': [width, width],
  'key.weight': [width, width],
  'value.weight': [width, width],
  'picture.projection': [embedding, width],
  'token.embedding': [things + 2, width],
  'text.projection': [embedding, width],
  temperature: [],
} as const satisfies Record<string, readonly number[]>;
type Name = keyof typeof shapes;
const names = Object.keys(shapes) as Name[];

const options = { learningRate: 0.05, weightDecay: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

const parameters = mapNames((name) => input(name, 'float32', shapes[name]));
const pixels = input('pixels', 'float32', ['batch', patches, patchArea]);
const ids = input('ids', 'int64', ['batch', 2]);
const labels = input('labels', 'int64', ['batch']);

function pictureTower(): Value {
  const patch = op.gelu(linear(pixels, parameters['patch.weight'], parameters['patch.bias']));
  const normal = layerNorm(patch, parameters['norm.weight'], parameters['norm.bias'], 1e-5);
  const [query, key, value] = (['query', 'key', 'value'] as const).map((kind) =>
    linear(normal, parameters[`${kind}.weight`]),
  ) as [Value, Value, Value];
  const attended = op.add(patch, op.multiHeadAttention([query, key, value], 2, 0.5));
  return l2Normalize(linear(op.reduceMean(attended, [1]), parameters['picture.projection']));
}

function textTower(): Value {
  const tokens = op.gather(parameters['token.embedding'], ids); // [batch, 2, width]
  return l2Normalize(linear(op.reduceMean(tokens, [1]), parameters['text.projection']));
}

/** The symmetric cross entropy of CLIP: every image's own text is the right one, and the other way round. */
function contrastiveLoss(): Value {
  const cosines = op.gemm(pictureTower(), textTower(), { transB: true });
  const logits = op.mul(cosines, op.exp(parameters.temperature));
  const both = op.add(crossEntropy(logits, labels), crossEntropy(op.transpose(logits, [1, 0]), labels));
  return op.mul(both, constant(0.5));
}

test('two towers with weights learn to tell images apart by their texts', async () => {
  const loss = contrastiveLoss();
  const found = gradients(loss, Object.values(parameters));
  const slopes = names.map((name, index) => [`slope of ${name}`, found[index]!] as const);

  const random = new Inputs(1);
  const draw = (shape: readonly number[], scale: number): Float32Tensor => {
    const { data } = random.given.get(random.real(shape))!;
    return { shape, data: Float32Array.from(data, (value) => scale * value) };
  };
  const state = mapNames((name) => draw(shapes[name], name === 'temperature' ? 0 : 0.5));
  const moments = mapNames((name) => ({
    first: new Float32Array(state[name].data.length),
    second: new Float32Array(state[name].data.length),
  }));
  state['norm.weight'].data.fill(1);
  const prototypes = draw([things, patches, patchArea], 1);
  const captions = BigInt64Array.from({ length: 2 * things }, (_, index) =>
    BigInt((index >> 1) + (index % 2) * 2),
  );
  const numbers = BigInt64Array.from({ length: things }, (_, index) => BigInt(index));

  const session = await Session.create({ loss, ...Object.fromEntries(slopes) }, { threads: 1 });
  const losses: number[] = [];
  for (let step = 1; step <= 150; step++) {
    const noise = draw(prototypes.shape, 0.2).data;
    const seen = Float32Array.from(noise, (value, index) => value + prototypes.data[index]!);
    const results = await session.run({
      ...state,
      pixels: { shape: prototypes.shape, data: seen },
      ids: { shape: [things, 2], data: captions },
      labels: { shape: [things], data: numbers },
    });
    losses.push(results.loss!.data[0]!);
    for (const name of names) {
      adamW(state[name].data, results[`slope of ${name}`]!.data, moments[name], step, options);
    }
  }
  await session.dispose();

  const [first, last] = [losses[0]!, losses.at(-1)!];
  assert.ok(Math.abs(first - Math.log(things)) < 0.3, `begins with a guess among ${things}, at ${first}`);
  assert.ok(last < 0.1 * first, `ends at ${last}, having begun at ${first}`);
  assert.ok(state.temperature.data[0]! > 1, `the temperature is learnt too: ${state.temperature.data[0]}`);
});

function mapNames<T>(f: (name: Name) => T): Record<Name, T> {
  return Object.fromEntries(names.map((name) => [name, f(name)])) as Record<Name, T>;
}
