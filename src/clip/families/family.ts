/** What a family of models and a layout of files must say, so that checkpoints can be used. A family is one folder beside this file. */

import type { Checkpoint, ModelFiles } from '../../core/index.ts';
import type { ClipConfig } from '../config.ts';
import type { ImagePreprocessing, ProcessorDefaults } from '../preprocess.ts';

/** A model in the layout of transformers: its `config.json` says which kind of towers it has. */
export interface Family {
  /** As users know it, such as `SigLIP`. */
  readonly name: string;
  /** The values of `model_type` in its `config.json`. */
  readonly modelTypes: readonly string[];
  /**
   * @param json the parsed `config.json`
   * @param file its path, for messages
   * @throws LincirError 'bad-config' for a model that the towers cannot compute, or a value out of range
   */
  readConfig(json: unknown, file: string): ClipConfig;
  /** Finds the weights, without reading them, under the names of `CLIPModel`. Default: the files have these names. */
  openWeights?(files: ModelFiles, config: ClipConfig): Promise<Checkpoint>;
  /** What its image processor does if the files do not say. Default: as CLIP's. */
  readonly processor?: ProcessorDefaults;
}

/** The repository whose tokenizer is that of OpenAI's, OpenCLIP's and Meta's own code, for files that have none. */
export const clipTokenizer = 'openai/clip-vit-base-patch32';

/** A way in which a model's files say what it is, and hold its weights. */
export interface Layout {
  /**
   * Reads a model's configuration; undefined where the files have another layout.
   * @throws LincirError 'bad-config' for a model that the towers cannot compute
   */
  find(files: ModelFiles): Promise<FoundModel | undefined>;
}

/** What the files say of a model. Its weights have the names of transformers' `CLIPModel`, whatever the files call them. */
export interface FoundModel {
  /** Its family, as users know it. */
  readonly family: string;
  readonly config: ClipConfig;
  /** Finds the weights, without reading them. */
  openWeights(): Promise<Checkpoint>;
  /** What happens to an image before the vision tower. Absent: the model has no such tower. */
  openPreprocessing?(): Promise<ImagePreprocessing>;
  /** A model on the hub that has the tokenizer, for files without one. */
  readonly tokenizer?: string;
  /** What was decided because the files do not say it: sentences for the user. */
  remarks?(checkpoint: Checkpoint): Promise<readonly string[]>;
}
