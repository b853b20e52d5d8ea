/** All layouts of models' files, and how they tell which family a model is of. */

import { type Checkpoint, LincirError, type ModelFiles } from '../../core/index.ts';
import type { ClipConfig } from '../config.ts';
import type { FoundModel, Layout } from './family.ts';
import { familyOf, huggingFace } from './hugging-face.ts';
import { openClip } from './open-clip/index.ts';
import { openAi } from './openai/index.ts';
import { perceptionEncoder } from './perception-encoder/index.ts';
import { expectTensors } from './tensors.ts';

/** The first that fits is the model's. */
const layouts: readonly Layout[] = [perceptionEncoder, openAi, openClip, huggingFace];

/**
 * Finds a model's family, the shapes of its towers and its weights, without reading these.
 * @throws LincirError 'not-found' without a configuration or weights, 'bad-config', and 'bad-file' for weights that do not fit
 */
export async function openTowers(
  files: ModelFiles,
): Promise<
  Omit<FoundModel, 'remarks'> & { readonly checkpoint: Checkpoint; readonly remarks: readonly string[] }
> {
  const found = await findModel(files);
  if (found === undefined) {
    throw new LincirError('not-found', {
      subject: `${files.name}: config.json`,
      expected: 'the configuration of a model',
      found: 'no such file',
      todo: 'give the folder of a model in the layout of Hugging Face or of OpenCLIP',
    });
  }
  const checkpoint = await found.openWeights();
  expectTensors(found.config, checkpoint);
  return { ...found, checkpoint, remarks: (await found.remarks?.(checkpoint)) ?? [] };
}

/** What a model's files say of it; undefined without a configuration. Throws as `readClipConfig` does. */
export async function findModel(files: ModelFiles): Promise<FoundModel | undefined> {
  for (const layout of layouts) {
    const found = await layout.find(files);
    if (found) return found;
  }
  return undefined;
}

/** Reads the shapes of a model's towers from its files; undefined without a configuration. Throws as `readClipConfig` does. */
export async function readConfigOf(files: ModelFiles): Promise<ClipConfig | undefined> {
  return (await findModel(files))?.config;
}

/**
 * Reads a model's configuration.
 * @param json the parsed `config.json`
 * @param file its path, for messages
 * @throws LincirError 'bad-config' for an unknown family of models, or a value out of range.
 */
export function readClipConfig(json: unknown, file: string): ClipConfig {
  return familyOf(json, file).readConfig(json, file);
}
