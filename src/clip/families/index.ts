/** All families of models, and how a model's files tell which is theirs. */

import { z } from 'zod';
import {
  type Checkpoint,
  LincirError,
  type ModelFiles,
  openCheckpoint,
  quoted,
  readJson,
} from '../../core/index.ts';
import type { ClipConfig } from '../config.ts';
import { clip } from './clip/index.ts';
import type { Family } from './family.ts';
import { parsedConfig } from './schema.ts';
import { siglip } from './siglip/index.ts';
import { expectTensors } from './tensors.ts';

/** A new family needs a line here. */
const families: readonly Family[] = [clip, siglip];

const typeSchema = z.looseObject({ model_type: z.string('a name').nullish() }, 'an object');

/** A model's family and the shapes of its towers. */
interface FoundFamily {
  readonly family: Family;
  readonly config: ClipConfig;
}

/**
 * Finds a model's family, the shapes of its towers and its weights, without reading these.
 * @throws LincirError 'not-found' without a configuration or weights, 'bad-config', and 'bad-file' for weights that do not fit
 */
export async function openTowers(
  files: ModelFiles,
): Promise<FoundFamily & { readonly checkpoint: Checkpoint }> {
  const found = await findFamily(files);
  if (found === undefined) {
    throw new LincirError('not-found', {
      subject: `${files.name}: config.json`,
      expected: 'the configuration of a model',
      found: 'no such file',
      todo: 'give the folder of a model in Hugging Face layout',
    });
  }
  const { family, config } = found;
  const checkpoint = await (family.openWeights ?? openCheckpoint)(files, config);
  expectTensors(config, checkpoint);
  return { family, config, checkpoint };
}

/** From its `config.json`; undefined without one. Throws as `readClipConfig` does. */
async function findFamily(files: ModelFiles): Promise<FoundFamily | undefined> {
  const file = await files.read('config.json');
  if (file === undefined) return undefined;
  const json = await readJson(file);
  const family = familyOf(json, file.name);
  return { family, config: family.readConfig(json, file.name) };
}

/** Reads the shapes of a model's towers from its files; undefined without a configuration. Throws as `readClipConfig` does. */
export async function readConfigOf(files: ModelFiles): Promise<ClipConfig | undefined> {
  return (await findFamily(files))?.config;
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

function familyOf(json: unknown, file: string): Family {
  const { model_type, text_config, vision_config } = parsedConfig(typeSchema, json, file);
  // transformers' classes for CLIP need no name; other families' configurations always have theirs.
  const type = model_type ?? (isObject(text_config) || isObject(vision_config) ? 'clip' : undefined);
  const family = families.find(({ modelTypes }) => type !== undefined && modelTypes.includes(type));
  if (family) return family;
  throw new LincirError('bad-config', {
    subject: `${file}: model_type`,
    expected: families.flatMap(({ modelTypes }) => modelTypes).join(', '),
    found: type === undefined ? 'none' : quoted(type),
    todo: `choose a checkpoint of one of these families: ${families.map(({ name }) => name).join(', ')}`,
  });
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
