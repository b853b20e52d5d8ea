/** What a family of models must say, so that its checkpoints can be used. A family is one folder beside this file. */

import type { Checkpoint, ModelFiles } from '../../core/index.ts';
import type { ClipConfig } from '../config.ts';
import type { ProcessorDefaults } from '../preprocess.ts';

/**
 * Models of one layout of files and one kind of towers. Whatever its files are like, its weights have the names of
 * transformers' `CLIPModel`, and its towers are described by a `ClipConfig`.
 */
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
