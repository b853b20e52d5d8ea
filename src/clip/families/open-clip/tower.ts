/** What OpenCLIP's configuration says of one tower, and what a kind of tower must say to be plugged in. */

import { z } from 'zod';
import type { StoredTensor } from '../../../core/index.ts';
import type { TextConfig, TowerConfig, VisionConfig } from '../../config.ts';
import { badConfig } from '../schema.ts';

/** A kind of tower in OpenCLIP's layout: its own transformer, or one of another library. */
export interface OpenClipTower<Config extends TextConfig | VisionConfig> {
  /** Whether `vision_cfg` or `text_cfg` names this kind. */
  fits(part: OpenClipPart): boolean;
  /**
   * @param part `vision_cfg` or `text_cfg`
   * @throws LincirError 'bad-config' for a value that would change the result in a way that nothing here computes
   */
  readConfig(part: OpenClipPart, shared: SharedByTowers): Config;
  /**
   * The tensor under the names that the tower uses, as views of the file. `text.` or `visual.` before its name has been
   * taken away. A name that is not known keeps its place behind `text_model.` or `vision_model.`, and is refused there.
   */
  canonical(name: string, stored: StoredTensor, config: Config): readonly [string, StoredTensor][];
}

export type OpenClipPart = Readonly<Record<string, unknown>>;

/** What both towers have from the whole `model_cfg`. */
export interface SharedByTowers {
  /** `embed_dim` */
  readonly projection: number;
  readonly quickGelu: boolean;
  /** Path of the configuration, for messages. */
  readonly file: string;
  /** `vision_cfg` or `text_cfg`, for messages. */
  readonly within: string;
  /** The `config.json` beside it, which may be that of a tower of another library. */
  readonly otherConfig?: { readonly json: unknown; readonly file: string } | undefined;
}

/** Keys of both towers of OpenCLIP's own transformer, with the only values that it computes here. */
export const plainTransformer = {
  ls_init_value: absent('null: layers are not scaled'),
  block_type: z.literal('default', 'null or "default"').nullish(),
  qk_norm: off(),
  scaled_cosine_attn: off(),
  scale_heads: off(),
  scale_attn_inner: off(),
  scale_attn: off(),
  scale_fc: off(),
  mlp_ratio: z.number('a number').positive('a number above 0').max(64, 'at most 64').default(4),
  act_kwargs: z
    .strictObject({ approximate: z.enum(['none', 'tanh'], '"none" or "tanh"').default('none') }, 'an object')
    .nullish(),
  norm_kwargs: z
    .strictObject({ eps: z.number('a number').positive('a number above 0').max(1).optional() }, 'an object')
    .nullish(),
  output_tokens: z.boolean('true or false').default(false), // besides the embedding
};

const plain = z.object(plainTransformer);

/** The activation of a tower. Throws 'bad-config' for options that QuickGELU does not have. */
export function activationOf(
  { act_kwargs }: z.output<typeof plain>,
  { quickGelu, file, within }: SharedByTowers,
): TowerConfig['activation'] {
  if (quickGelu && act_kwargs) {
    throw badConfig(`${file}: model_cfg.${within}.act_kwargs`, 'none beside quick_gelu', 'some');
  }
  if (quickGelu) return 'quick_gelu';
  return act_kwargs?.approximate === 'tanh' ? 'gelu_tanh' : 'gelu';
}

/** A key that may only be false. */
export function off() {
  return z.literal(false, 'false').default(false);
}

/** A key that may only be missing or null. */
export function absent(expected: string) {
  return z.null(expected).optional();
}
