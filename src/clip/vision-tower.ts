/** The vision tower with its projection or its pooling head, as a graph. */

import {
  add,
  concat,
  expand,
  input,
  linear,
  multiHeadAttention,
  reshape,
  sizeAt,
  slice,
  transpose,
  type Value,
} from '../onnx/index.ts';
import type { VisionConfig } from './config.ts';
import { evaLayers } from './eva-layers.ts';
import { feedForward, normalized, type Parameter, plainArithmetic, transformer } from './transformer.ts';

/** Preprocessed images: [batch, channels, height, width]. */
export function visionInput({ channels, imageSize }: VisionConfig): Value {
  return input('pixels', 'float32', ['batch', channels, imageSize, imageSize]);
}

/**
 * The projected, un-normalised embedding of every image: `image_embeds` of CLIPVisionModelWithProjection, `pooler_output` of
 * SiglipVisionModel.
 * @param arithmetic of the layers. Default: float32
 * @returns [batch, projection]
 */
export function visionTower(
  pixels: Value,
  config: VisionConfig,
  parameter: Parameter,
  arithmetic = plainArithmetic(visionParameter(parameter), config),
): Value {
  const { width, projection, pooling, projectionBias, eva } = config;
  const batch = sizeAt(pixels, 0);
  const inner = visionParameter(parameter);
  const isPooled = pooling === 'attention';
  const { classToken, preNorm } = eva ?? { classToken: !isPooled, preNorm: !isPooled };

  const patches = patchEmbeddings(pixels, config, inner, !preNorm); // [batch, patches, width]
  const marker = () => reshape(inner('embeddings.class_embedding', [width]), [1, 1, width]);
  const tokens = classToken ? concat([expand(marker(), [batch, 1, width]), patches], 1) : patches;
  const places = inner('embeddings.position_embedding.weight', [Number(sizeAt(tokens, 1)), width]);
  const placed = add(tokens, places); // [batch, positions, width]
  // Checkpoints spell it 'pre_layrnorm'.
  const hidden = preNorm ? normalized(placed, inner, 'pre_layrnorm', config) : placed;

  const choose = (all: Value) => (isPooled ? all : slice(all, 1, 0, 1));
  const chosen = eva
    ? evaLayers(hidden, config, eva, arithmetic, choose)
    : transformer(hidden, config, arithmetic, choose);
  const normal = normalized(chosen, inner, 'post_layernorm', config);
  const row = isPooled
    ? attentionPooled(normal, { ...config, ...eva?.head }, inner)
    : reshape(normal, [batch, width]);
  if (isPooled && !eva) return row;
  const bias = projectionBias ? [parameter('visual_projection.bias', [projection])] : [];
  return linear(row, parameter('visual_projection.weight', [projection, width]), ...bias);
}

/**
 * SigLIP's head: one learnt query attends to all positions (Zhai et al., 2022, section 3.4), and passes a feed-forward network.
 * @param hidden [batch, positions, width]
 * @returns [batch, width]
 */
function attentionPooled(hidden: Value, config: VisionConfig, parameter: Parameter): Value {
  const { width, heads } = config;
  const batch = sizeAt(hidden, 0);
  const head: Parameter = (name, shape) => parameter(`head.${name}`, shape);
  const { norm, product } = plainArithmetic(head, config);
  const query = product(head('probe', [1, 1, width]), 'attention.q_proj', width);
  const context = multiHeadAttention(
    [
      expand(query, [batch, 1, width]),
      product(hidden, 'attention.k_proj', width),
      product(hidden, 'attention.v_proj', width),
    ],
    heads,
    1 / Math.sqrt(width / heads),
  );
  const attended = product(context, 'attention.out_proj', width);
  const row = add(attended, feedForward(norm(attended, 'layernorm'), config, product));
  return reshape(row, [batch, width]);
}

/** The tower's own parameters, but not its projection. */
export function visionParameter(parameter: Parameter): Parameter {
  return (name, shape) => parameter(`vision_model.${name}`, shape);
}

/** A convolution whose stride is its kernel: cuts the image into patches, and multiplies each with the weight. */
function patchEmbeddings(pixels: Value, config: VisionConfig, parameter: Parameter, hasBias: boolean): Value {
  const { width, channels, imageSize, patchSize } = config;
  const batch = sizeAt(pixels, 0);
  const side = Math.floor(imageSize / patchSize);
  const used = side * patchSize; // a remainder at the right and bottom is not covered, as in the convolution
  const whole = used === imageSize ? pixels : slice(slice(pixels, 2, 0, used), 3, 0, used);
  const grid = reshape(whole, [batch, channels, side, patchSize, side, patchSize]);
  const patches = transpose(grid, [0, 2, 4, 1, 3, 5]); // [batch, row, column, channels, patch, patch]
  const area = channels * patchSize ** 2;
  const kernel = parameter('embeddings.patch_embedding.weight', [width, channels, patchSize, patchSize]);
  const bias = hasBias ? [parameter('embeddings.patch_embedding.bias', [width])] : [];
  return linear(reshape(patches, [batch, side ** 2, area]), reshape(kernel, [width, area]), ...bias);
}
