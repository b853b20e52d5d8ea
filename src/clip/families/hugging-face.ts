/** The layout of transformers: `config.json`, whose `model_type` names the family. */

import { z } from 'zod';
import { LincirError, type ModelFiles, openCheckpoint, quoted, readJson } from '../../core/index.ts';
import { loadPreprocessing } from '../preprocess.ts';
import { chineseClip } from './chinese-clip/index.ts';
import { clip } from './clip/index.ts';
import type { Family, Layout } from './family.ts';
import { metaclip2 } from './metaclip2/index.ts';
import { parsedConfig } from './schema.ts';
import { siglip } from './siglip/index.ts';

/** A new family needs a line here, and its `model_type` in `hub/snapshot.ts`. */
export const families: readonly Family[] = [clip, metaclip2, siglip, chineseClip];

const typeSchema = z.looseObject({ model_type: z.string('a name').nullish() }, 'an object');

export const huggingFace: Layout = {
  async find(files: ModelFiles) {
    const file = await files.read('config.json');
    if (file === undefined) return undefined;
    const json = await readJson(file);
    const family = familyOf(json, file.name);
    const config = family.readConfig(json, file.name);
    const { vision } = config;
    return {
      family: family.name,
      config,
      openWeights: () => family.openWeights?.(files, config) ?? openCheckpoint(files),
      ...(vision && { openPreprocessing: () => loadPreprocessing(files, vision, family.processor) }),
    };
  },
};

/** The family of a `config.json`. Throws 'bad-config' for none that is known. */
export function familyOf(json: unknown, file: string): Family {
  const type = modelTypeOf(json, file);
  const family = families.find(({ modelTypes }) => type !== undefined && modelTypes.includes(type));
  if (family) return family;
  throw new LincirError('bad-config', {
    subject: `${file}: model_type`,
    expected: families.flatMap(({ modelTypes }) => modelTypes).join(', '),
    found: type === undefined ? 'none' : nameOf(type),
    todo: `choose a checkpoint of one of these families: ${families.map(({ name }) => name).join(', ')}`,
  });
}

/** Other models that users may try, by the beginnings of their `model_type`, and why they are not here. */
const others: readonly (readonly [beginning: string, what: string])[] = [
  ['siglip2', 'SigLIP 2 NaFlex, whose pictures have any number of patches; those of fixed size work'],
  ['blip', 'BLIP, which also looks at pictures and texts together'],
  ['instructblip', 'InstructBLIP, which writes texts'],
  ['align', 'ALIGN, whose vision tower is an EfficientNet'],
  ['altclip', 'AltCLIP'],
  ['flava', 'FLAVA, which also looks at pictures and texts together'],
  ['groupvit', 'GroupViT'],
  ['clipseg', 'CLIPSeg, which marks parts of pictures'],
  ['clap', 'CLAP, which is for sounds'],
  ['owl', 'OWL-ViT, which finds objects'],
  ['vision-text-dual-encoder', 'two towers of any kinds, put together by transformers'],
  ['llava', 'LLaVA, which writes texts'],
  ['bert', 'BERT, which has no pictures'],
];

function nameOf(type: string): string {
  const [, what] = others.find(([beginning]) => type.startsWith(beginning)) ?? [];
  return what ? `${quoted(type)}: ${what}` : quoted(type);
}

/** Whether a `config.json` is that of a known family. */
export function isKnown(json: unknown, file: string): boolean {
  const type = modelTypeOf(json, file);
  return families.some(({ modelTypes }) => type !== undefined && modelTypes.includes(type));
}

function modelTypeOf(json: unknown, file: string): string | undefined {
  const { model_type, text_config, vision_config } = parsedConfig(typeSchema, json, file);
  // transformers' classes for CLIP need no name; other families' configurations always have theirs.
  return model_type ?? (isObject(text_config) || isObject(vision_config) ? 'clip' : undefined);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
