/** A frozen CLIP model: embeds texts and images in one shared space. */

import { warn } from '#kept';
import { openModel } from '#models';
import {
  type Checkpoint,
  chunks,
  type DownloadProgress,
  type Float32Tensor,
  isPassing,
  LincirError,
  type ModelFiles,
  normalizeRows,
  quoted,
} from '../core/index.ts';
import { expectPrecision, type Precision, Session, type SessionOptions, type Value } from '../onnx/index.ts';
import type { ImageSource } from '../pixels/index.ts';
import { ahead } from './ahead.ts';
import { type ClipConfig, isCausal, type TextConfig, type VisionConfig } from './config.ts';
import { openTowers } from './families/index.ts';
import { embeddingFingerprint, fingerprintOf } from './fingerprint.ts';
import { type EightBitTower, eightBitTower } from './int8/tower.ts';
import { PrefixedTower } from './prefix.ts';
import { type ImagePreprocessing, type PreprocessOptions, preprocessImage } from './preprocess.ts';
import { textInputs } from './text-inputs.ts';
import { textTower } from './text-tower.ts';
import { independentBatches, type TokenRow, tokenBatches } from './token-batches.ts';
import type { TextTokenizer } from './tokenizer.ts';
import { tokenizerOf } from './tokenizer-of.ts';
import { parametersOf } from './transformer.ts';
import { visionInput, visionTower } from './vision-tower.ts';

export interface LoadClipOptions
  extends Pick<SessionOptions, 'device' | 'deviceId' | 'threads' | 'prepack'>,
    Pick<PreprocessOptions, 'targetPad' | 'maxPixels'> {
  /**
   * Number format of the towers' matrix products. `int8` concerns the vision tower alone: the text tower is then float32.
   * Default: 'float32'.
   */
  readonly precision?: Precision;
  /**
   * Beginnings of many texts, such as `a photo of`, to compute once: `encodeTokens` of independent rows that begin so takes a
   * quarter less time. The model takes longer to load, and the last bits of embeddings differ. Default: none.
   */
  readonly beginnings?: readonly string[];
  /** Called with a download's progress. */
  readonly onDownload?: (progress: DownloadProgress) => void;
  /** Aborts a download. */
  readonly signal?: AbortSignal;
}

export interface EncodeOptions {
  /** Scale every embedding to length 1. phi needs the original lengths. Default: false. */
  readonly normalize?: boolean;
}

export interface EncodeImagesOptions extends EncodeOptions {
  /**
   * Called for an image that cannot be read, with its index from 0. Its embedding is zeros. Without this callback, the
   * first such image ends the call with its error.
   */
  readonly onBroken?: (error: LincirError, index: number) => void;
}

export interface EncodeTextsOptions extends EncodeOptions {
  /** Refuse texts that are longer than the model's positions. Default: cut them. */
  readonly strict?: boolean;
  /** Called for every text that was cut. `index` counts from 0. */
  readonly onTruncated?: (text: string, index: number) => void;
}

/** Token positions of one run of a tower, padding included: enough to keep it busy, few enough to stay in cache. */
const positionsPerRun = 1024;
/** Those of int8, whose float32 results crowd the cache beside smaller weights. */
const positionsPerRunInt8 = 768;
/** Images whose files are in memory at once: one for each of Node's decoding threads, and a few in resizing. */
const picturesAtOnce = 6;
/** Texts that are sorted by length and returned together. */
const textsPerWindow = 256;

/**
 * Loads a model of two towers that embed images and texts in one space: CLIP, SigLIP, or another family that
 * `families/index.ts` lists. The engine reads weights from their files, a tower's when it is first used.
 * @param model a folder, a preset (`base`, `large`, …), or a hub id, `OWNER/NAME[@REVISION]`; or the files themselves
 * @throws LincirError 'not-found', 'network', 'bad-config', 'bad-file' or 'io'; 'bad-argument' for a precision that the
 *   device does not offer
 */
export async function loadClip(model: string | ModelFiles, options: LoadClipOptions = {}): Promise<Clip> {
  const { onDownload: onProgress, signal, device, precision } = options;
  expectPrecision(precision, device);
  const { files, id } =
    typeof model === 'string'
      ? await openModel(model, { onProgress, signal })
      : { files: model, id: undefined };
  const towers = await openTowers(files);
  const { config, checkpoint, openPreprocessing, remarks } = towers;
  for (const remark of remarks) warn(`${files.name}: ${remark}`);
  const preprocessing = await openPreprocessing?.();
  const tokenizer = config.text && (await tokenizerOf(files, towers, { onProgress, signal }));
  const fingerprint = await fingerprintOf(config, checkpoint);
  return new Clip({ files, id, config, checkpoint, preprocessing, tokenizer, fingerprint, remarks }, options);
}

/** The parts of a model, found and checked, but not yet in the engine. */
interface ClipParts {
  readonly files: ModelFiles;
  readonly id: string | undefined;
  readonly config: ClipConfig;
  readonly checkpoint: Checkpoint;
  readonly preprocessing: ImagePreprocessing | undefined;
  readonly tokenizer: TextTokenizer | undefined;
  readonly fingerprint: string;
  readonly remarks: readonly string[];
}

/** A loaded model. Owns memory outside JavaScript: dispose of it. */
export class Clip {
  /** Place of its files: a folder, or the name of the files given to `loadClip`. */
  readonly folder: string;
  /** Its name on the hub, if it came from there. */
  readonly id: string | undefined;
  readonly config: ClipConfig;
  /** Where its weights lie. */
  readonly checkpoint: Checkpoint;
  /** Identifies the model, and int8 products. Embeddings with different fingerprints must not be compared. */
  readonly fingerprint: string;
  /** What was decided because the model's files do not say it: sentences for the user, which were told as warnings. */
  readonly remarks: readonly string[];
  readonly #parts: ClipParts;
  readonly #options: LoadClipOptions;
  #textSession: Promise<Session> | undefined;
  #prefixedTower: Promise<PrefixedTower> | undefined;
  #visionSession: Promise<Session> | undefined;
  #eightBitTower: Promise<EightBitTower> | undefined;

  /** @internal Use `loadClip`. */
  constructor(parts: ClipParts, options: LoadClipOptions) {
    const { files, id, config, checkpoint, fingerprint } = parts;
    this.folder = files.name;
    this.id = id;
    this.config = config;
    this.checkpoint = checkpoint;
    this.remarks = parts.remarks;
    this.fingerprint = embeddingFingerprint(fingerprint, options.precision);
    this.#parts = parts;
    this.#options = options;
  }

  /** @throws LincirError 'bad-config' when the checkpoint has no text tower. */
  get textConfig(): TextConfig {
    return this.config.text ?? this.#lacks('text');
  }

  /** @throws LincirError 'bad-config' when the checkpoint has no text tower. */
  get tokenizer(): TextTokenizer {
    return this.#parts.tokenizer ?? this.#lacks('text');
  }

  /** @throws LincirError 'bad-config' when the checkpoint has no vision tower. */
  get visionConfig(): VisionConfig {
    return this.config.vision ?? this.#lacks('vision');
  }

  /** Preprocessing of images for the vision tower. Throws LincirError 'bad-config' without one. */
  get preprocessing(): ImagePreprocessing {
    return this.#parts.preprocessing ?? this.#lacks('vision');
  }

  /** The ratio to which long images are padded; null: no padding. */
  get targetPad(): number | null {
    return this.#options.targetPad ?? null;
  }

  /** Number format of its products: with int8, of the vision tower's alone. */
  get precision(): Precision {
    return this.#options.precision ?? 'float32';
  }

  /** The best number of images for one run of the vision tower. */
  get picturesPerRun(): number {
    const { imageSize, patchSize } = this.visionConfig;
    const tokens = 1 + Math.floor(imageSize / patchSize) ** 2;
    const positions = this.precision === 'int8' ? positionsPerRunInt8 : positionsPerRun;
    return Math.max(1, Math.floor(positions / tokens));
  }

  /**
   * Embeds texts. Texts that are longer than the model's positions are cut, but keep their end of text.
   * @returns [texts, projection], in the order of the texts
   * @throws LincirError 'bad-argument' for a text too long when strict, 'bad-config' without a text tower
   */
  async encodeTexts(texts: readonly string[], options: EncodeTextsOptions = {}): Promise<Float32Tensor> {
    const { tokenizer } = this;
    const rows = texts.map((text, index) => {
      const { ids, truncated } = tokenizer.encode(text);
      if (truncated && options.strict) throw tooLong(text, index, tokenizer.maximum);
      if (truncated) options.onTruncated?.(text, index);
      return { ids };
    });
    return finished(await this.encodeTokens(rows), options);
  }

  /**
   * Embeds rows of token ids, in which vectors may replace token embeddings. Un-normalised.
   * @param areIndependent On a CPU, a row's embedding is then the same, bit for bit, whatever other rows there are
   * @returns [rows, projection]
   * @throws LincirError 'bad-argument' for a row that the tower cannot take
   */
  async encodeTokens(rows: readonly TokenRow[], areIndependent = false): Promise<Float32Tensor> {
    const config = this.textConfig;
    const { projection } = config;
    if (areIndependent && isCausal(config) && this.#options.beginnings) {
      this.#prefixedTower ??= this.#prefixed(this.#options.beginnings);
      return await (await this.#prefixedTower).encode(rows, positionsPerRun);
    }
    const batches = (areIndependent ? independentBatches : tokenBatches)(rows, config, positionsPerRun);
    this.#textSession ??= this.#session((parameter) => textTower(textInputs(config), config, parameter));
    const session = await this.#textSession;
    const data = new Float32Array(rows.length * projection);
    for (const { members, feeds } of batches) {
      const { embeddings } = await session.run<'embeddings'>(feeds);
      members.forEach((row, at) => {
        data.set(embeddings.data.subarray(at * projection, (at + 1) * projection), row * projection);
      });
    }
    return { shape: [rows.length, projection], data };
  }

  /** `encodeTexts` for any number of texts: embeddings come in order, in batches, with bounded memory. */
  async *textBatches(
    texts: Iterable<string> | AsyncIterable<string>,
    options: EncodeTextsOptions = {},
  ): AsyncGenerator<Float32Tensor, void, void> {
    let start = 0;
    for await (const window of chunks(texts, textsPerWindow)) {
      const first = start;
      yield await this.encodeTexts(window, {
        ...options,
        onTruncated: (text, index) => options.onTruncated?.(text, first + index),
      });
      start += window.length;
    }
  }

  /**
   * Embeds images: paths, `file:` and `data:` URLs, encoded files' bytes, `Blob`s and `ArrayBuffer`s of them, or RGB pixels.
   * @returns [pictures, projection], in the order of the images
   * @throws LincirError 'bad-file', 'not-found' or 'io' naming the image, 'bad-config' without a vision tower
   */
  async encodeImages(
    images: readonly ImageSource[],
    options: EncodeImagesOptions = {},
  ): Promise<Float32Tensor> {
    const config = this.visionConfig;
    const data = new Float32Array(images.length * config.projection);
    let filled = 0;
    for await (const batch of this.imageBatches(images, options)) {
      data.set(batch.data, filled);
      filled += batch.data.length;
    }
    return { shape: [images.length, config.projection], data };
  }

  /** `encodeImages` for any number of images: embeddings come in order, in batches, with bounded memory. */
  async *imageBatches(
    images: Iterable<ImageSource> | AsyncIterable<ImageSource>,
    options: EncodeImagesOptions = {},
  ): AsyncGenerator<Float32Tensor, void, void> {
    const { projection } = this.visionConfig;
    const batches = chunks(images, this.picturesPerRun);
    for await (const { pixels, broken } of ahead(this.#prepared(batches, options.onBroken))) {
      const result = finished(await this.encodePixels(pixels), options);
      for (const row of broken) result.data.fill(0, row * projection, (row + 1) * projection);
      yield result;
    }
  }

  /**
   * Embeds preprocessed images (see `preprocessImage`), all at once. Blocks its thread until done.
   * @param pixels [pictures, 3, height, width]
   * @returns [pictures, projection]
   * @throws LincirError 'bad-argument' for another number of values, 'bad-config' without a vision tower
   */
  async encodePixels(pixels: Float32Array): Promise<Float32Tensor> {
    const config = this.visionConfig;
    const { channels, imageSize } = config;
    this.#visionSession ??= this.#vision();
    const session = await this.#visionSession;
    const shape = [pixels.length / (channels * imageSize ** 2), channels, imageSize, imageSize];
    const { embeddings } = await session.run<'embeddings'>({ pixels: { shape, data: pixels } });
    return embeddings;
  }

  /** Products of the vision tower that stay float32 because int8 would lose too much: none where it is float32 as a whole. */
  async exactProducts(): Promise<readonly string[]> {
    return this.precision === 'int8' ? (await this.#rounded()).exact : [];
  }

  /** Frees the engine's memory. The model cannot be used afterwards. */
  async dispose(): Promise<void> {
    const tower = this.#eightBitTower?.then(({ session }) => session);
    for (const session of [this.#textSession, this.#prefixedTower, this.#visionSession ?? tower]) {
      await session?.then(
        (made) => made.dispose(),
        () => {}, // it was never made: its first user got the error
      );
    }
  }

  /** Yields preprocessed images in batches: [batch, channels, height, width], and which rows are broken. */
  async *#prepared(
    batches: AsyncIterable<readonly ImageSource[]>,
    onBroken: EncodeImagesOptions['onBroken'],
  ): AsyncGenerator<{ pixels: Float32Array; broken: readonly number[] }, void, void> {
    const { preprocessing } = this;
    const { targetPad, maxPixels } = this.#options;
    const size = 3 * preprocessing.crop.height * preprocessing.crop.width;
    let start = 0;
    for await (const batch of batches) {
      const pixels = new Float32Array(batch.length * size);
      const broken: number[] = [];
      const prepare = async (image: ImageSource, row: number): Promise<void> => {
        const into = pixels.subarray(row * size, (row + 1) * size);
        const name = `image ${start + row + 1}`;
        const given = { into, name, targetPad, maxPixels };
        await preprocessImage(image, preprocessing, given).catch((error: unknown) => {
          if (!(onBroken && error instanceof LincirError) || isPassing(error)) throw error;
          onBroken(error, start + row);
          broken.push(row);
        });
      };
      const left = batch.entries();
      const lane = async () => {
        for (const [row, image] of left) await prepare(image, row);
      };
      await Promise.all(Array.from({ length: picturesAtOnce }, lane));
      yield { pixels, broken };
      start += batch.length;
    }
  }

  /** Options of both towers' sessions. */
  get #where(): SessionOptions {
    const { device, deviceId, precision, threads, prepack = true } = this.#options;
    return { device, deviceId, precision: precision === 'int8' ? 'float32' : precision, threads, prepack };
  }

  async #vision(): Promise<Session> {
    const { visionConfig: config } = this;
    if (this.precision === 'int8') return (await this.#rounded()).session;
    return await this.#session((parameter) => visionTower(visionInput(config), config, parameter));
  }

  #rounded(): Promise<EightBitTower> {
    const { visionConfig: config, preprocessing } = this;
    const { checkpoint, fingerprint } = this.#parts;
    const tower = { config, tensors: checkpoint.tensors, preprocessing, fingerprint };
    this.#eightBitTower ??= eightBitTower(tower, this.#where);
    return this.#eightBitTower;
  }

  #session(tower: (parameter: ReturnType<typeof parametersOf>) => Value): Promise<Session> {
    const embeddings = tower(parametersOf(this.checkpoint.tensors));
    return Session.create({ embeddings }, this.#where);
  }

  #prefixed(beginnings: readonly string[]): Promise<PrefixedTower> {
    const { tokenizer, textConfig: config } = this;
    // Without the end of text.
    const rows = ['', ...beginnings].map((text) => tokenizer.encode(text).ids.slice(0, -1));
    const tower = { config, tensors: this.checkpoint.tensors };
    return PrefixedTower.create(tower, rows, this.#where);
  }

  #lacks(tower: 'text' | 'vision'): never {
    throw new LincirError('bad-config', {
      subject: this.folder,
      expected: `a model with a ${tower} tower`,
      found: 'a checkpoint without one',
      todo: 'choose a checkpoint of the whole CLIP model',
    });
  }
}

function finished({ shape, data }: Float32Tensor, { normalize = false }: EncodeOptions): Float32Tensor {
  if (normalize) normalizeRows(data, shape.at(-1)!);
  return { shape, data };
}

function tooLong(text: string, index: number, maximum: number): LincirError {
  return new LincirError('bad-argument', {
    subject: `text ${index + 1}`,
    expected: `at most ${maximum} tokens`,
    found: `more in ${quoted(text)}`,
    todo: 'shorten it',
  });
}
