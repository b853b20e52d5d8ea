/** The vision tower with products of 8 bits: calibrated, rounded, and compared with float32. */

import { type Float32Tensor, readTensor, type StoredTensor } from '../../core/index.ts';
import {
  constant,
  eightBitProduct,
  layerNorm,
  mul,
  quantize,
  type RunTensor,
  Session,
  type SessionOptions,
  type Value,
} from '../../onnx/index.ts';
import type { VisionConfig } from '../config.ts';
import { type ImagePreprocessing, preprocessImage } from '../preprocess.ts';
import { type Arithmetic, parametersOf, plainArithmetic } from '../transformer.ts';
import { visionInput, visionParameter, visionTower } from '../vision-tower.ts';
import { keepSites, keptSites } from './kept-sites.ts';
import { calibrationPictures, picturesToCalibrate } from './pictures.ts';
import { weightReach } from './reach.ts';
import { chooseScales, type InputScales } from './scales.ts';
import { placesIn, type Site } from './sites.ts';
import { type TowerStatistics, towerStatistics } from './statistics.ts';
import { type EightBitWeights, eightBitWeights } from './weights.ts';

/** A vision tower as it lies in files. */
export interface StoredVisionTower {
  readonly config: VisionConfig;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly preprocessing: ImagePreprocessing;
  /** Of the model: under it, scales are kept for the next time. Absent: they are not. */
  readonly fingerprint?: string;
}

export interface EightBitTower {
  readonly session: Session;
  /** Products with the same input that stay float32, such as `encoder.layers.3.mlp.fc2`. */
  readonly exact: readonly string[];
}

/** Products whose results have more noise than this stay float32. */
const mostNoise = 0.1;
/** The noise of embeddings, as a part of how much they differ between pictures, that must not be exceeded. */
const mostEmbeddingNoise = 0.15;

/**
 * Measures the tower on pictures of its own, in float32; rounds its weights, each product with the scales that lose
 * least; and leaves products in float32 that would lose too much, until embeddings agree. If an earlier load has kept what it
 * found, only rounds.
 * @param given the largest size of a weight. Default: what this processor can add up
 */
export async function eightBitTower(
  tower: StoredVisionTower,
  options: SessionOptions,
  given?: number,
): Promise<EightBitTower> {
  const { config, preprocessing, fingerprint } = tower;
  const reach = given ?? (await weightReach(options));
  const on = fingerprint === undefined ? undefined : { fingerprint, preprocessing, reach };
  const known = on && (await keptSites(on, config));
  if (known) return { session: await sessionOf(tower, known, options), exact: exactNames(config, known) };
  const { session, sites } = await calibrated(tower, options, reach);
  if (on) await keepSites(on, sites);
  return { session, exact: exactNames(config, sites) };
}

async function calibrated(
  tower: StoredVisionTower,
  options: SessionOptions,
  reach: number,
): Promise<{ readonly session: Session; readonly sites: readonly Site[] }> {
  const { config, tensors, preprocessing } = tower;
  const pixels = await calibrationPixels(preprocessing, config);
  const parameter = parametersOf(tensors);
  const statistics = await towerStatistics(config, parameter, pixels, { ...options, prepack: false });
  const rated = await ratedSites(tower, statistics, reach);
  for (let limit = mostNoise; ; limit /= 2) {
    const sites = rated.filter(({ noise }) => noise <= limit);
    const session = await sessionOf(tower, sites, options);
    const { embeddings } = await session.run<'embeddings'>({ pixels });
    const isGood = embeddingNoise(embeddings, statistics.embeddings) <= mostEmbeddingNoise;
    if (isGood || sites.length === 0) return { session, sites };
    await session.dispose();
  }
}

function exactNames(config: VisionConfig, sites: readonly Site[]): string[] {
  const rounded = new Set(sites.map(({ products }) => products[0]));
  return placesIn(config).flatMap(({ products: [name] }) => (rounded.has(name) ? [] : [name!]));
}

async function calibrationPixels(
  preprocessing: ImagePreprocessing,
  { channels, imageSize }: VisionConfig,
): Promise<RunTensor> {
  const pictures = calibrationPictures(picturesToCalibrate);
  const area = channels * imageSize ** 2;
  const data = new Float32Array(pictures.length * area);
  for (const [row, picture] of pictures.entries()) {
    await preprocessImage(picture, preprocessing, { into: data.subarray(row * area, (row + 1) * area) });
  }
  return { shape: [pictures.length, channels, imageSize, imageSize], data };
}

/** One product's weights are in memory at a time. */
async function ratedSites(
  { config, tensors }: StoredVisionTower,
  { inputs, variances }: TowerStatistics,
  reach: number,
): Promise<(Site & { readonly noise: number })[]> {
  const sites: (Site & { readonly noise: number })[] = [];
  for (const place of placesIn(config)) {
    const { products, norm } = place;
    const statistics = inputs.get(products[0]!)!;
    const multiplied = await Promise.all(
      products.map(async (name) => ({
        weight: await read(tensors, `${name}.weight`),
        variance: variances.get(name)!,
      })),
    );
    const { noise, ...scales } = chooseScales(statistics, multiplied, norm !== undefined, reach);
    sites.push({ ...place, scales, mean: statistics.mean, noise });
  }
  return sites;
}

async function sessionOf(
  { config, tensors }: StoredVisionTower,
  sites: readonly Site[],
  options: SessionOptions,
): Promise<Session> {
  const parameter = parametersOf(tensors);
  const plain = plainArithmetic(visionParameter(parameter), config);
  const byProduct = new Map(sites.flatMap((site) => site.products.map((name) => [name, site])));
  const norms = new Map<string, readonly [Value, Value]>();
  const weights = new Map<string, EightBitWeights>();
  for (const { products, norm, scales, mean } of sites) {
    if (norm) norms.set(norm, await scaledNorm(tensors, norm, scales));
    for (const name of products) {
      const weight = await read(tensors, `${name}.weight`);
      const hasBias = tensors.has(`vision_model.${name}.bias`);
      const bias = hasBias ? await read(tensors, `${name}.bias`) : zeros(weight.shape[0]!);
      weights.set(name, eightBitWeights(name, weight, bias, scales, mean));
    }
  }
  const onGrid = new Map<Value, Value>(); // queries, keys and values have one input
  const arithmetic: Arithmetic = {
    norm: (x, name) => {
      const scaled = norms.get(name);
      return scaled ? layerNorm(x, ...scaled, config.epsilon) : plain.norm(x, name);
    },
    product: (x, name, to, hasBias) => {
      const site = byProduct.get(name);
      const rounded = weights.get(name);
      if (!site || !rounded) return plain.product(x, name, to, hasBias);
      const { scale, grid } = site.scales;
      const isScaled = site.norm !== undefined || scale === undefined;
      const inverse = isScaled
        ? undefined
        : constant(
            scale.map((unit) => 1 / unit),
            [scale.length],
          );
      const input = onGrid.get(x) ?? quantize(inverse ? mul(x, inverse) : x, grid);
      onGrid.set(x, input);
      return eightBitProduct(input, grid, rounded.weights, rounded.steps, rounded.bias);
    },
  };
  const embeddings = visionTower(visionInput(config), config, parameter, arithmetic);
  return await Session.create({ embeddings }, options);
}

/** The scale and bias of a layer norm that gives (x - shift) / scale. */
async function scaledNorm(
  tensors: StoredVisionTower['tensors'],
  name: string,
  { shift, scale }: InputScales,
): Promise<readonly [Value, Value]> {
  const [gain, bias] = [await read(tensors, `${name}.weight`), await read(tensors, `${name}.bias`)];
  const unit = (k: number): number => scale?.[k] ?? 1;
  const gains = gain.data.map((value, k) => value / unit(k));
  const biases = bias.data.map((value, k) => (value - (shift?.[k] ?? 0)) / unit(k));
  return [constant(gains, gain.shape), constant(biases, bias.shape)];
}

function read(tensors: StoredVisionTower['tensors'], name: string): Promise<Float32Tensor> {
  return readTensor(tensors.get(`vision_model.${name}`)!);
}

function zeros(size: number): Float32Tensor {
  return { shape: [size], data: new Float32Array(size) };
}

/** Root mean square of the difference, as a part of that of the differences between pictures. */
export function embeddingNoise(found: Float32Tensor, wanted: Float32Tensor): number {
  const [rows, size] = wanted.shape as [number, number];
  let [noise, spread] = [0, 0];
  for (let channel = 0; channel < size; channel++) {
    let mean = 0;
    for (let row = 0; row < rows; row++) mean += wanted.data[row * size + channel]! / rows;
    for (let row = 0; row < rows; row++) {
      const at = row * size + channel;
      noise += (found.data[at]! - wanted.data[at]!) ** 2;
      spread += (wanted.data[at]! - mean) ** 2;
    }
  }
  return Math.sqrt(noise / spread);
}
