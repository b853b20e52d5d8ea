/** Parts of the schemas of several families' `config.json`. */

import { z } from 'zod';
import { LincirError, shortJson } from '../../core/index.ts';
import type { TowerConfig } from '../config.ts';

export const size = z.int('a whole number').min(1, 'at least 1').max(1_000_000, 'at most 1,000,000');
/** The side of a square, as one number or two. */
export const square = z.preprocess(
  (value) => (Array.isArray(value) && value.length === 2 && value[0] === value[1] ? value[0] : value),
  size,
);
export const epsilon = z.number('a number').positive('a number above 0').max(1, 'a number up to 1');
export const tokenId = z.int('a token id').nonnegative('a token id');
export const object = z.record(z.string(), z.unknown(), 'an object');

/** The sizes that most towers of transformers have where their configuration leaves them out. */
const baseSizes = { width: 768, heads: 12, feedForward: 3072 };

/** Schemas of the sizes of a tower, by the names that transformers gives them, with defaults. */
export function towerSizes({ width, heads, feedForward } = baseSizes) {
  return {
    hidden_size: size.default(width),
    num_attention_heads: size.default(heads),
    num_hidden_layers: size.default(12),
    intermediate_size: size.default(feedForward),
  };
}

interface TowerFields extends Readonly<Record<keyof ReturnType<typeof towerSizes>, number>> {
  readonly layer_norm_eps: number;
  readonly projection_dim: number;
}

export function towerOf(config: TowerFields, activation: TowerConfig['activation']): TowerConfig {
  return {
    width: config.hidden_size,
    heads: config.num_attention_heads,
    layers: config.num_hidden_layers,
    feedForward: config.intermediate_size,
    activation,
    epsilon: config.layer_norm_eps,
    projection: config.projection_dim,
  };
}

/** Throws 'bad-config' for sizes that do not fit each other. */
export function checkedTower<Config extends TowerConfig & { imageSize?: number; patchSize?: number }>(
  config: Config,
  file: string,
): Config {
  const { width, heads, imageSize, patchSize } = config;
  if (width % heads !== 0) {
    throw badConfig(`${file}: hidden_size`, `a multiple of ${heads} heads`, `${width}`);
  }
  if (imageSize !== undefined && patchSize !== undefined && imageSize < patchSize) {
    throw badConfig(`${file}: image_size`, `at least the patch size ${patchSize}`, `${imageSize}`);
  }
  return config;
}

/**
 * Throws 'bad-config' that names the first field that does not fit.
 * @param within the field of the file that has the value
 */
export function parsedConfig<Schema extends z.ZodType>(
  schema: Schema,
  json: unknown,
  file: string,
  within?: string,
): z.output<Schema> {
  const result = schema.safeParse(json, { reportInput: true });
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const path = [...issue.path, ...unknown];
  const field = [...(within ? [within] : []), ...path].join('.');
  if (unknown.length > 0)
    throw badConfig(`${file}: ${field}`, 'no such key', 'one that lincir does not know');
  throw badConfig(field ? `${file}: ${field}` : file, issue.message, shortJson(issue.input));
}

export function badConfig(subject: string, expected: string, found: string): LincirError {
  return new LincirError('bad-config', { subject, expected, found });
}
