/** CLIP's image preprocessing: reads `preprocessor_config.json`, and turns an image into the vision tower's input. */

import { z } from 'zod';
import { LincirError, type ModelFiles, readJson, shortJson } from '../core/index.ts';
import {
  checkedPixels,
  defaultMaxPixels,
  type Extent,
  type ImageSource,
  isPixels,
  type RgbImage,
  type Window,
  windowOf,
} from '../pixels/index.ts';
import type { VisionConfig } from './config.ts';
import { decodeWindow } from './decode.ts';

type Triple = readonly [number, number, number];

/** The steps between decoding an image and the vision tower. */
export interface ImagePreprocessing extends Pick<Window, 'resize' | 'filter' | 'crop' | 'oddMargin'> {
  /** Multiplies a pixel of 0 to 255, before mean and deviation apply. */
  readonly scale: number;
  /** Of red, green and blue. */
  readonly mean: Triple;
  readonly deviation: Triple;
}

/** What an image processor of a family does if its file does not say. */
export interface ProcessorDefaults {
  /** Beginnings of the names of its classes in transformers. */
  readonly classes: readonly string[];
  readonly size: { readonly shortSide: number } | Extent;
  /** Whether it cuts a square out of the middle. */
  readonly crops: boolean;
  readonly mean: Triple;
  readonly deviation: Triple;
}

/** What published CLIP models do. */
export const clipProcessor: ProcessorDefaults = {
  classes: ['CLIP'],
  size: { shortSide: 224 },
  crops: true,
  mean: [0.48145466, 0.4578275, 0.40821073],
  deviation: [0.26862954, 0.26130258, 0.27577711],
};

export interface PreprocessOptions {
  /**
   * If an image's long side is more than this many times its short side, first pads it with black to this ratio
   * (Baldrati et al., CVPR Workshops 2022, use 1.25). Absent: no padding.
   */
  readonly targetPad?: number;
  /** Larger images are refused before they are decoded. Default 200 million. */
  readonly maxPixels?: number;
  /**
   * Use the pixels as stored, and do not turn them as the file asks (EXIF). Evaluators of benchmarks do so. Default false.
   */
  readonly isStored?: boolean;
  /** Name in errors of an image without a path. Default `image`. */
  readonly name?: string;
  /** Called with the image's size in pixels, upright unless it is used as stored. */
  readonly onSize?: (size: Extent) => void;
  /** Where to write the result, for example a slot of a batch; exactly 3 x height x width long. */
  readonly into?: Float32Array;
}

/**
 * Reads the fields of Hugging Face's `preprocessor_config.json`, old or new, or of the `image_processor` in a
 * `processor_config.json`.
 *
 * @param file named in errors
 * @param defaults for missing or null fields. Default: those of `CLIPImageProcessor`
 * @throws LincirError `bad-config` if it is not the configuration of such an image processor
 */
export function readPreprocessing(
  json: unknown,
  file: string,
  defaults: ProcessorDefaults = clipProcessor,
): ImagePreprocessing {
  const nested = z.object({ image_processor: z.record(z.string(), z.unknown()) }).safeParse(json);
  const parsed = processorSchema(defaults).safeParse(nested.success ? nested.data.image_processor : json, {
    reportInput: true,
  });
  if (!parsed.success) {
    const { path, message, input } = parsed.error.issues[0]!;
    throw badConfig([file, ...path].join(': '), message, shortJson(input));
  }
  const config = parsed.data;
  const resize = config.do_resize ? config.size : undefined;
  const crop = config.do_center_crop ? config.crop_size : resize;
  if (crop === undefined || 'shortSide' in crop) {
    throw badConfig(
      `${file}: do_center_crop`,
      'a crop or a fixed size, so that images have one size',
      'neither',
    );
  }
  return {
    ...(resize && { resize }),
    filter: config.resample === 3 ? 'bicubic' : 'bilinear',
    crop,
    scale: config.do_rescale ? config.rescale_factor : 1,
    mean: config.do_normalize ? config.image_mean : [0, 0, 0],
    deviation: config.do_normalize ? config.image_std : [1, 1, 1],
  };
}

/** A model's own preprocessing. Without a file of it, that is its family's, at the model's size. */
export async function loadPreprocessing(
  files: ModelFiles,
  vision: VisionConfig,
  defaults = clipProcessor,
): Promise<ImagePreprocessing> {
  const { channels, imageSize } = vision;
  const whole = { height: imageSize, width: imageSize };
  const standard = {
    file: files.name,
    json: { size: defaults.crops ? imageSize : whole, crop_size: imageSize },
  };
  const { file, json } = (await preprocessingJson(files)) ?? standard;
  const preprocessing = readPreprocessing(json, file, defaults);
  const { height, width } = preprocessing.crop;
  if (height === imageSize && width === imageSize && channels === 3) return preprocessing;
  throw new LincirError('bad-config', {
    subject: file,
    expected: `images as config.json has them, ${channels} x ${imageSize} x ${imageSize}`,
    found: `3 x ${height} x ${width}`,
  });
}

/**
 * Preprocesses an image for the vision tower: float32 [3, height, width], with the height and width of the crop.
 *
 * The reference is CLIP's published pipeline on Pillow, as in transformers' `load_image` followed by
 * `CLIPImageProcessorPil`. Results equal it bit for bit wherever the decoders agree. The torchvision processor of
 * transformers 5 resamples slightly differently.
 *
 * @throws LincirError as `DecodeWindow` does; `bad-argument` for an option or pixels that cannot be used
 */
export async function preprocessImage(
  source: ImageSource,
  preprocessing: ImagePreprocessing,
  options: PreprocessOptions = {},
): Promise<Float32Array> {
  const { targetPad = Infinity, maxPixels = defaultMaxPixels, name = 'image', isStored = false } = options;
  const { resize, filter, crop, oddMargin } = preprocessing;
  const length = 3 * crop.height * crop.width;
  if (!(targetPad >= 1)) throw badArgument('targetPad', 'a ratio of at least 1', String(targetPad));
  if (options.into && options.into.length !== length) {
    throw badArgument('into', `${length} floats`, String(options.into.length));
  }
  const window = { resize, filter, crop, oddMargin, targetPad, isStored };
  const image = isPixels(source)
    ? windowOf(checkedPixels(source, name), window)
    : await decodeWindow(source, window, name, maxPixels);
  if (image.whole) options.onSize?.(image.whole);
  return normalise(image, preprocessing, options.into ?? new Float32Array(length));
}

/** Searched in transformers' order: where version 5 writes it, then where earlier ones did. */
async function preprocessingJson(
  files: ModelFiles,
): Promise<{ readonly file: string; readonly json: unknown } | undefined> {
  const newer = await files.read('processor_config.json');
  const json = newer && (await readJson(newer));
  const isWhole = typeof json === 'object' && json !== null && 'image_processor' in json;
  if (newer && isWhole) return { file: newer.name, json };
  const older = await files.read('preprocessor_config.json');
  return older && { file: older.name, json: await readJson(older) };
}

/** (scale · pixel - mean) / deviation, rounded to float32 after every step as NumPy does. */
function normalise(image: RgbImage, preprocessing: ImagePreprocessing, into: Float32Array): Float32Array {
  const { data } = image; // [height, width, 3]
  const area = image.width * image.height;
  const values = new Float32Array(256);
  for (let channel = 0; channel < 3; channel++) {
    const mean = Math.fround(preprocessing.mean[channel]!);
    const deviation = Math.fround(preprocessing.deviation[channel]!);
    for (let pixel = 0; pixel < 256; pixel++) {
      values[pixel] = Math.fround(Math.fround(pixel * preprocessing.scale) - mean) / deviation;
    }
    for (let at = 0; at < area; at++) into[channel * area + at] = values[data[at * 3 + channel]!]!;
  }
  return into; // [3, height, width]
}

function badArgument(subject: string, expected: string, found: string): LincirError {
  return new LincirError('bad-argument', { subject, expected, found });
}

function badConfig(subject: string, expected: string, found: string): LincirError {
  return new LincirError('bad-config', { subject, expected, found });
}

// No published CLIP has sides beyond 4,096 pixels. Larger ones would only take memory.
const side = z.int().min(1).max(4096);
const extent = z.strictObject({ height: side, width: side });
/** A list has a height and a width. A null key counts as missing. */
const sizeOf = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((size) => {
    if (Array.isArray(size) && size.length === 2) return { height: size[0], width: size[1] };
    if (typeof size !== 'object' || size === null) return size;
    return Object.fromEntries(Object.entries(size).filter(([, value]) => value !== null));
  }, schema);
/** One number stands for all three. */
const triple = z.preprocess(
  (value) => (typeof value === 'number' ? [value, value, value] : value),
  z.tuple([z.number(), z.number(), z.number()]),
);
/** As in Python, null is false. */
const flagOf = (standard: boolean) =>
  z.preprocess((value) => (value === null ? false : value), field('true or false', standard, z.boolean()));
const flag = flagOf(true);
const optionalFlag = flagOf(false);

const processorSchema = ({ classes, size, crops, mean, deviation }: ProcessorDefaults) => {
  const [first = ''] = classes;
  const className = (end: string) =>
    field(
      first + end,
      first + end,
      z.string().refine((name) => classes.some((beginning) => name.startsWith(beginning))),
    );
  const isWhole = !('shortSide' in size);
  const wholeSide = (length: number) => (isWhole ? { height: length, width: length } : { shortSide: length });
  return z.object(
    {
      image_processor_type: className('ImageProcessor'),
      feature_extractor_type: className('FeatureExtractor'),
      do_resize: flag,
      size: field(
        'a side, {"shortest_edge"} or {"height", "width"}, of 1 to 4096 pixels',
        size,
        sizeOf(
          z.union([
            side.transform(wholeSide),
            // With a longest edge, images would have other sizes.
            z.strictObject({ shortest_edge: side }).transform((edge) => ({ shortSide: edge.shortest_edge })),
            extent,
          ]),
        ),
      ),
      default_to_square: isWhole
        ? z.unknown().optional()
        : field('false: one side is the short one', false, z.literal(false)),
      resample: field('3 (bicubic) or 2 (bilinear)', 3, z.union([z.literal(2), z.literal(3)])),
      do_center_crop: crops ? flag : optionalFlag,
      crop_size: field(
        'a side, or {"height", "width"}, of 1 to 4096 pixels',
        { height: 224, width: 224 },
        sizeOf(z.union([side.transform((length) => ({ height: length, width: length })), extent])),
      ),
      do_rescale: flag,
      rescale_factor: field('a positive number', 1 / 255, z.number().positive()),
      do_normalize: flag,
      image_mean: field('three numbers', [...mean], triple),
      image_std: field(
        'three positive numbers',
        [...deviation],
        triple.refine((values) => values.every((value) => value > 0)),
      ),
    },
    { error: 'an object' },
  );
};

/** A field that has a default if it is missing or null. */
function field<Schema extends z.ZodType>(expected: string, standard: z.output<Schema>, schema: Schema) {
  return z
    .unknown()
    .optional()
    .transform((input, context): z.output<Schema> => {
      if (input === undefined || input === null) return standard;
      const parsed = schema.safeParse(input);
      if (parsed.success) return parsed.data;
      context.addIssue({ code: 'custom', message: expected, input });
      return z.NEVER;
    });
}
