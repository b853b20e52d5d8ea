/** Both towers against outputs recorded from transformers, for every kind of configuration and weight file. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { openCheckpoint, readingFile, readJsonFile, readSafetensorsHeader } from '../core/index.ts';
import { gradients, input, mul, reduceSum, Session } from '../onnx/index.ts';
import { type ClipConfig, readClipConfig, type TextConfig } from './config.ts';
import { textInputs, textTower } from './text-tower.ts';
import { type TokenRow, tokenBatches } from './token-batches.ts';
import { type Parameter, parametersOf } from './transformer.ts';
import { visionInput, visionTower } from './vision-tower.ts';

interface Reference {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

const fixtures = join(import.meta.dirname, '../../test/fixtures');
const everything = 1 << 20;

for (const name of ['tiny-clip', 'tiny-clip-laion', 'tiny-clip-f16', 'tiny-clip-bf16', 'tiny-clip-text']) {
  describe(name, async () => {
    const { config, parameter, reference } = await loadFixture(name);
    const text = config.text!;

    for (const budget of [everything, 100]) {
      test(`text embeddings, at most ${budget} positions a run`, async () => {
        for (const ids of ['ids', 'ids_zero_padded']) {
          const rows = reference.rows(ids).map((row) => ({ ids: row }));
          const found = await encode(rows, text, parameter, budget);
          assertClose(found, reference.tensor('text_embeds').data, 2e-5);
        }
      });
    }

    test('embeddings of texts with injected vectors', async () => {
      const found = await encode(injectedRows(reference, text), text, parameter, 100);
      assertClose(found, reference.tensor('injected_text_embeds').data, 2e-5);
    });

    test('the gradient with respect to injected vectors', async () => {
      const [batch] = tokenBatches(injectedRows(reference, text), text, everything);
      const inputs = textInputs(text);
      const cotangent = input('cotangent', 'float32', ['batch', text.projection]);
      const loss = reduceSum(mul(textTower(inputs, text, parameter), cotangent), [0, 1]);
      const [gradient] = gradients(loss, [inputs.injected]);
      const session = await Session.create({ gradient: gradient! });
      const sorted = reference.tensor('cotangent');
      const ordered = batch!.members.flatMap((row) => [
        ...sorted.data.subarray(row * text.projection, (row + 1) * text.projection),
      ]);
      const result = await session.run<'gradient'>({
        ...batch!.feeds,
        cotangent: { shape: sorted.shape, data: Float32Array.from(ordered) },
      });
      await session.dispose();
      const rowOf = reference.rows('placeholder_positions').map(([row]) => row!);
      const expected = batch!.members.flatMap((member) =>
        rowOf.flatMap((row, at) =>
          row === member
            ? [...reference.tensor('injected_gradient').data.subarray(at * text.width, (at + 1) * text.width)]
            : [],
        ),
      );
      assertClose(result.gradient.data, expected, 1e-4);
    });

    if (config.vision) {
      test('image embeddings', async () => {
        const embeddings = visionTower(visionInput(config.vision!), config.vision!, parameter);
        const session = await Session.create({ embeddings });
        const found = await session.run<'embeddings'>({ pixels: reference.tensor('pixel_values') });
        await session.dispose();
        assertClose(found.embeddings.data, reference.tensor('image_embeds').data, 2e-5);
      });
    }
  });
}

async function loadFixture(name: string) {
  const folder = join(fixtures, name);
  const configFile = join(folder, 'config.json');
  const config: ClipConfig = readClipConfig(await readJsonFile(configFile), configFile);
  const parameter = parametersOf((await openCheckpoint(folder)).tensors);
  const reference = await readingFile(join(folder, 'reference.safetensors'), async (file) => {
    const { tensors } = await readSafetensorsHeader(file);
    const buffers = new Map<string, ArrayBuffer>();
    for (const [key, { offset, byteLength }] of tensors)
      buffers.set(key, (await file.read(offset, byteLength)).buffer);
    return {
      tensor: (key: string): Reference => ({
        shape: tensors.get(key)!.shape,
        data: new Float32Array(buffers.get(key)!),
      }),
      /** The rows of an int64 matrix. */
      rows: (key: string): number[][] => {
        const [rows, columns] = tensors.get(key)!.shape;
        const values = Array.from(new BigInt64Array(buffers.get(key)!), Number);
        return Array.from({ length: rows! }, (_, row) => values.slice(row * columns!, (row + 1) * columns!));
      },
    };
  });
  return { config, parameter, reference };
}

type LoadedReference = Awaited<ReturnType<typeof loadFixture>>['reference'];

function injectedRows(reference: LoadedReference, { width }: TextConfig): TokenRow[] {
  const vectors = reference.tensor('injected').data;
  const places = reference.rows('placeholder_positions');
  return reference.rows('ids').map((ids, row) => ({
    ids,
    injected: places.flatMap(([placeRow, position], at) =>
      placeRow === row
        ? [{ position: position!, vector: vectors.subarray(at * width, (at + 1) * width) }]
        : [],
    ),
  }));
}

async function encode(
  rows: readonly TokenRow[],
  config: TextConfig,
  parameter: Parameter,
  budget: number,
): Promise<Float32Array> {
  const session = await Session.create({ embeddings: textTower(textInputs(config), config, parameter) });
  const found = new Float32Array(rows.length * config.projection);
  for (const { members, feeds } of tokenBatches(rows, config, budget)) {
    const { embeddings } = await session.run<'embeddings'>(feeds);
    members.forEach((row, at) => {
      found.set(
        embeddings.data.subarray(at * config.projection, (at + 1) * config.projection),
        row * config.projection,
      );
    });
  }
  await session.dispose();
  return found;
}

/** Largest absolute difference, relative to the largest entry. */
function assertClose(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  assert.equal(found.length, expected.length);
  let difference = 0;
  let largest = 0;
  for (let index = 0; index < expected.length; index++) {
    difference = Math.max(difference, Math.abs(found[index]! - expected[index]!));
    largest = Math.max(largest, Math.abs(expected[index]!));
  }
  assert.ok(difference <= tolerance * largest, `error ${difference / largest}, at most ${tolerance}`);
}
