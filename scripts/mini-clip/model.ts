/** The small CLIP before training: its shape, its initial parameters, and its folder in Hugging Face layout. */

import { join } from 'node:path';
import {
  type ClipConfig,
  type Parameter,
  readClipConfig,
  type TextConfig,
  textInputs,
  textTower,
  type VisionConfig,
  visionInput,
  visionTower,
} from '../../src/clip/index.ts';
import { elementCount, type Float32Tensor, normals, uniforms } from '../../src/core/index.ts';
import { makeFolder, writeFileAtomically, writeSafetensors } from '../../src/files/index.ts';
import { input, type Value } from '../../src/onnx/index.ts';
import type { TokenizerFile } from './tokenizer-file.ts';

/** Shape of both towers, and of the images. */
export interface MiniShape {
  readonly width: number;
  readonly heads: number;
  readonly textLayers: number;
  readonly visionLayers: number;
  readonly feedForward: number;
  readonly projection: number;
  /** Token positions of a text, start and end included. */
  readonly positions: number;
  /** Sides of the square images and of their patches, in pixels. */
  readonly imageSize: number;
  readonly patchSize: number;
}

/** All parameters in one array, so that one loop handles all of them. */
export interface ClipParameters {
  /** All values: first the `matrices`, then vectors and the temperature. */
  readonly values: Float32Array;
  /** Number of values in tensors with two or more axes. Only these decay. */
  readonly matrices: number;
  /** Views of `values`, by their names in Hugging Face's checkpoints, in the order of their values. */
  readonly tensors: ReadonlyMap<string, Float32Tensor>;
}

export const logitScaleName = 'logit_scale';
const patchPlaces = 'vision_model.embeddings.position_embedding.weight';
/** As large as what a patch's colours produce. The model would not see smaller ones. */
const placeAmplitude = 1.5;

/** `config.json` as transformers writes it. Start and end of text are the last two ids. */
function configJson(shape: MiniShape, vocabulary: number) {
  const tower = {
    hidden_act: 'quick_gelu',
    hidden_size: shape.width,
    intermediate_size: shape.feedForward,
    layer_norm_eps: 1e-5,
    num_attention_heads: shape.heads,
    projection_dim: shape.projection,
  };
  return {
    architectures: ['CLIPModel'],
    logit_scale_init_value: Math.log(1 / 0.07),
    model_type: 'clip',
    projection_dim: shape.projection,
    text_config: {
      ...tower,
      bos_token_id: vocabulary - 2,
      eos_token_id: vocabulary - 1,
      max_position_embeddings: shape.positions,
      model_type: 'clip_text_model',
      num_hidden_layers: shape.textLayers,
      pad_token_id: vocabulary - 1,
      vocab_size: vocabulary,
    },
    torch_dtype: 'float32',
    vision_config: {
      ...tower,
      image_size: shape.imageSize,
      model_type: 'clip_vision_model',
      num_channels: 3,
      num_hidden_layers: shape.visionLayers,
      patch_size: shape.patchSize,
    },
  };
}

/** `preprocessor_config.json`: CLIP's own, at the model's size. */
export function preprocessorJson({ imageSize }: MiniShape) {
  return {
    crop_size: { height: imageSize, width: imageSize },
    do_center_crop: true,
    do_convert_rgb: true,
    do_normalize: true,
    do_rescale: true,
    do_resize: true,
    image_mean: [0.48145466, 0.4578275, 0.40821073],
    image_processor_type: 'CLIPImageProcessor',
    image_std: [0.26862954, 0.26130258, 0.27577711],
    resample: 3,
    rescale_factor: 1 / 255,
    size: { shortest_edge: imageSize },
  };
}

/** Both towers of a config that has both. */
export function bothTowers(config: ClipConfig): { text: TextConfig; vision: VisionConfig } {
  const { text, vision } = config;
  if (!text || !vision) throw new TypeError('a CLIP of one tower');
  return { text, vision };
}

/** The config that `loadClip` will read from the model's folder. */
export function miniConfig(shape: MiniShape, vocabulary: number): ClipConfig {
  return readClipConfig(configJson(shape, vocabulary), 'config.json');
}

/** Parameters as inputs of the graph, by name, created when a tower asks for them. */
export function parameterInputs(): { parameter: Parameter; inputs: ReadonlyMap<string, Value> } {
  const inputs = new Map<string, Value>();
  const parameter: Parameter = (name, shape) => {
    const known = inputs.get(name) ?? input(name, 'float32', shape);
    inputs.set(name, known);
    return known;
  };
  return { parameter, inputs };
}

/**
 * Zeros for the parameters of a CLIP: those of its towers, and the logarithm of the factor of cosines in the contrastive
 * loss.
 */
export function emptyParameters(config: ClipConfig): ClipParameters {
  const { text, vision } = bothTowers(config);
  const { parameter, inputs } = parameterInputs();
  textTower(textInputs(text), text, parameter);
  visionTower(visionInput(vision), vision, parameter);
  const shapes = [...inputs].map(([name, { shape }]) => [name, shape.map(Number)] as const);
  const isMatrix = ([, shape]: (typeof shapes)[number]) => shape.length > 1;
  const ordered = [
    ...shapes.filter(isMatrix),
    ...shapes.filter((entry) => !isMatrix(entry)),
    [logitScaleName, []] as const,
  ];
  const count = (entries: typeof ordered) => entries.reduce((sum, [, shape]) => sum + elementCount(shape), 0);
  const values = new Float32Array(count(ordered));
  let begin = 0;
  const tensors = ordered.map(([name, shape]) => {
    const data = values.subarray(begin, begin + elementCount(shape));
    begin += data.length;
    return [name, { shape, data }] as const;
  });
  return { values, matrices: count(shapes.filter(isMatrix)), tensors: new Map(tensors) };
}

/**
 * Initial parameters, as in CLIP (Radford et al., 2021, and their code's `initialize_parameters`, for both towers): normal
 * with deviations that keep the residual stream's size, and projections whose embeddings have a length of about
 * sqrt(projection). Only the positions of patches differ: see `placesOfPatches`.
 */
export function initialParameters(config: ClipConfig, seed: number): ClipParameters {
  const parameters = emptyParameters(config);
  const { text, vision } = bothTowers(config);
  [...parameters.tensors].forEach(([name, { shape, data }], row) => {
    const stream = { seed, purpose: 'initialization', moment: 0, row } as const;
    const { width, layers } = name.startsWith('text') ? text : vision;
    if (name === logitScaleName) data.fill(Math.log(1 / 0.07));
    else if (/norm\d?\.weight$|layrnorm\.weight$/.test(name)) data.fill(1);
    else if (name.endsWith('patch_embedding.weight')) {
      const bound = 1 / Math.sqrt(data.length / shape[0]!); // a convolution, as PyTorch initialises it
      data.set(uniforms(stream, data.length).map((u) => (2 * u - 1) * bound));
    } else {
      const deviation = deviationOf(name, width, layers);
      if (deviation > 0) data.set(normals(stream, data.length).map((value) => deviation * value));
    }
    if (name === patchPlaces) data.set(placesOfPatches(vision), vision.width); // the class token comes first
  });
  return parameters;
}

/**
 * Waves across and down, with wavelengths from the image's side to two patches (as in Beyer et al., "Better plain ViT
 * baselines", 2022), so that the model can tell places apart from the first step on. [patches, width]
 */
function placesOfPatches({ width, imageSize, patchSize }: VisionConfig): Float32Array {
  const side = Math.floor(imageSize / patchSize);
  const waves = Math.floor(width / 4);
  const places = new Float32Array(side * side * width);
  for (let patch = 0; patch < side * side; patch += 1) {
    const [row, column] = [Math.floor(patch / side), patch % side];
    for (let wave = 0; wave < waves; wave += 1) {
      const frequency = Math.PI * (2 / side) ** (1 - wave / waves);
      const values = [row, column].flatMap((at) => [Math.sin(at * frequency), Math.cos(at * frequency)]);
      places.set(
        values.map((value) => placeAmplitude * value),
        patch * width + 4 * wave,
      );
    }
  }
  return places;
}

/** Standard deviation of a parameter; 0 for biases. */
function deviationOf(name: string, width: number, layers: number): number {
  const isText = name.startsWith('text');
  if (name.endsWith('token_embedding.weight')) return 0.02;
  if (name.endsWith('position_embedding.weight')) return isText ? 0.01 : width ** -0.5;
  if (name.endsWith('class_embedding')) return width ** -0.5;
  if (/out_proj\.weight$|fc2\.weight$/.test(name)) return width ** -0.5 * (2 * layers) ** -0.5;
  if (name.endsWith('fc1.weight')) return (2 * width) ** -0.5;
  return name.endsWith('.weight') ? width ** -0.5 : 0; // queries, keys, values and the projections
}

/** Writes the files of a model's folder besides the weights, each atomically. Throws LincirError 'io'. */
export async function writeDescription(
  folder: string,
  shape: MiniShape,
  { json, vocabulary }: TokenizerFile,
): Promise<void> {
  await makeFolder(folder);
  await writeJson(join(folder, 'config.json'), configJson(shape, vocabulary));
  await writeJson(join(folder, 'preprocessor_config.json'), preprocessorJson(shape));
  await writeJson(join(folder, 'tokenizer.json'), json);
}

/** Writes the weights into a model's folder, atomically. Throws LincirError 'io'. */
export async function writeWeights(folder: string, { tensors }: ClipParameters): Promise<void> {
  const stored = [...tensors].map(([name, tensor]) => ({ name, type: 'float32', ...tensor }) as const);
  await writeSafetensors(join(folder, 'model.safetensors'), stored, { format: 'pt' });
}

async function writeJson(path: string, json: unknown): Promise<void> {
  await writeFileAtomically(path, (file) => file.writeFile(`${JSON.stringify(json, null, 2)}\n`));
}
