/** Writes CLIP models of the real architectures with random weights in float16, in seconds: their speed is that of real ones. */

import { copyFile, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Parameter,
  readClipConfig,
  textInputs,
  textTower,
  visionInput,
  visionTower,
} from '../../src/clip/index.ts';
import { elementCount, halfOf, normals } from '../../src/core/index.ts';
import { readJsonFile, type TensorToWrite, writeSafetensors } from '../../src/files/index.ts';
import { input } from '../../src/onnx/index.ts';

/** Layers, heads, width and feed-forward width of a tower. */
type Tower = readonly [layers: number, heads: number, width: number, feedForward: number];

interface Architecture {
  readonly projection: number;
  readonly activation: 'quick_gelu' | 'gelu';
  readonly text: Tower;
  readonly vision: Tower;
  readonly patchSize: number;
}

/** As in the config.json of the models that `lincir models` lists. */
const architectures = {
  base: {
    ...{ projection: 512, activation: 'quick_gelu', patchSize: 32 },
    ...{ text: [12, 8, 512, 2048], vision: [12, 12, 768, 3072] },
  },
  large: {
    ...{ projection: 768, activation: 'quick_gelu', patchSize: 14 },
    ...{ text: [12, 12, 768, 3072], vision: [24, 16, 1024, 4096] },
  },
  giga: {
    ...{ projection: 1280, activation: 'gelu', patchSize: 14 },
    ...{ text: [32, 20, 1280, 5120], vision: [48, 16, 1664, 8192] },
  },
} as const satisfies Record<string, Architecture>;

export type ModelName = keyof typeof architectures;

/** The model of the miniature world, whose tokenizer all of these have. */
const mini = join(import.meta.dirname, '../../models/mini');
const deviation = 0.02;
const noiseCount = 2 ** 20;

/**
 * Writes a model, unless it is there already, and returns its folder.
 * @param isSmall a layer of an eighth of the width, for tests
 * @param withVision giga's vision tower alone has 3.7 GB
 */
export async function randomClip(
  folder: string,
  name: ModelName,
  { isSmall = false, withVision = true } = {},
): Promise<string> {
  const place = join(folder, `${name}${isSmall ? '-small' : ''}${withVision ? '' : '-text'}`);
  const written = await stat(join(place, 'model.safetensors')).catch(() => undefined);
  if (written) return place;
  await mkdir(place, { recursive: true });
  const json = await configuration(architectures[name], isSmall, withVision);
  await writeFile(join(place, 'config.json'), JSON.stringify(json, null, 2));
  await copyFile(join(mini, 'tokenizer.json'), join(place, 'tokenizer.json'));

  const { text, vision } = readClipConfig(json, place);
  const tensors = new Map<string, TensorToWrite>();
  // The towers name their parameters.
  const parameter: Parameter = (parameterName, shape) => {
    tensors.set(parameterName, {
      name: parameterName,
      type: 'float16',
      shape,
      data: values(parameterName, shape),
    });
    return input(parameterName, 'float32', shape);
  };
  if (text) textTower(textInputs(text), text, parameter);
  if (vision) visionTower(visionInput(vision), vision, parameter);
  await writeSafetensors(join(place, 'model.safetensors'), [...tensors.values()]);
  return place;
}

async function configuration(architecture: Architecture, isSmall: boolean, withVision: boolean) {
  const { projection, activation, text, vision, patchSize } = architecture;
  const own = (await readJsonFile(join(mini, 'config.json'))) as { text_config: object };
  const smaller = (size: number) => (isSmall ? size / 8 : size);
  const tower = ([layers, heads, width, feedForward]: Tower) => ({
    hidden_size: smaller(width),
    intermediate_size: smaller(feedForward),
    num_attention_heads: heads,
    num_hidden_layers: isSmall ? 1 : layers,
    hidden_act: activation,
    projection_dim: smaller(projection),
  });
  const texts = { ...own.text_config, ...tower(text) };
  if (!withVision) return { ...texts, model_type: 'clip_text_model' };
  return {
    architectures: ['CLIPModel'],
    model_type: 'clip',
    projection_dim: smaller(projection),
    text_config: texts,
    vision_config: {
      ...tower(vision),
      ...{ model_type: 'clip_vision_model', patch_size: patchSize, num_channels: 3 },
      image_size: isSmall ? 2 * patchSize : 224,
    },
  };
}

/** Norms begin as the identity, and biases as nothing; all else is noise, the same again and again. */
async function* values(name: string, shape: readonly number[]): AsyncGenerator<Uint8Array, void, void> {
  const block = /norm\d?\.weight$/.test(name) ? ones() : name.endsWith('.bias') ? zeros() : noise();
  for (let left = elementCount(shape); left > 0; left -= noiseCount) {
    const part = block.subarray(0, Math.min(left, noiseCount));
    yield new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
  }
}

const zeros = () => new Uint16Array(noiseCount);
const ones = () => new Uint16Array(noiseCount).fill(halfOf(1));
let drawn: Uint16Array | undefined;
function noise(): Uint16Array {
  drawn ??= Uint16Array.from(
    normals({ seed: 0, purpose: 'initialization', moment: 0, row: 0 }, noiseCount),
    (value) => halfOf(deviation * value),
  );
  return drawn;
}
