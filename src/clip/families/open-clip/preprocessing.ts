/** OpenCLIP's `preprocess_cfg`: what happens to an image before the vision tower. */

import { z } from 'zod';
import type { VisionConfig } from '../../config.ts';
import { clipProcessor, type ImagePreprocessing } from '../../preprocess.ts';
import { parsedConfig } from '../schema.ts';

/** One number stands for all three. */
const triple = z.preprocess(
  (value) => (typeof value === 'number' ? [value, value, value] : value),
  z.tuple([z.number(), z.number(), z.number()], 'three numbers'),
);

const schema = z.strictObject({
  size: z.unknown().optional(), // the model's own counts
  mode: z.literal('RGB', '"RGB"').nullish(),
  mean: triple.nullish(),
  std: triple.refine((values) => values.every((value) => value > 0), 'three positive numbers').nullish(),
  // For evaluation, `random` means bicubic.
  interpolation: z.enum(['bicubic', 'bilinear', 'random'], '"bicubic" or "bilinear"').nullish(),
  resize_mode: z.enum(['shortest', 'squash'], '"shortest" or "squash"').nullish(),
  fill_color: z
    .int('a colour from 0 to 255')
    .min(0, 'a colour from 0 to 255')
    .max(255, 'a colour from 0 to 255')
    .nullish(),
});

/**
 * @param json `preprocess_cfg`
 * @param file its path, for messages
 * @throws LincirError 'bad-config' for steps that are not known
 */
export function readOpenClipPreprocessing(
  json: unknown,
  file: string,
  { imageSize }: VisionConfig,
): ImagePreprocessing {
  const { mean, std, interpolation, resize_mode } = parsedConfig(schema, json, file, 'preprocess_cfg');
  const whole = { height: imageSize, width: imageSize };
  return {
    resize: resize_mode === 'squash' ? whole : { shortSide: imageSize },
    filter: interpolation === 'bilinear' ? 'bilinear' : 'bicubic',
    crop: whole,
    oddMargin: 'even',
    scale: 1 / 255,
    mean: mean ?? clipProcessor.mean,
    deviation: std ?? clipProcessor.deviation,
  };
}
