/** OpenCLIP's own layout: `open_clip_config.json`, with weights whose projections are fused or transposed. */

import { type ModelFiles, openCheckpoint, readJson, readWeights, weightFiles } from '../../../core/index.ts';
import type { Layout } from '../family.ts';
import { isKnown } from '../hugging-face.ts';
import { openClipModel } from './model.ts';
import type { SharedByTowers } from './tower.ts';

export const openClipConfig = 'open_clip_config.json';
/** Best first. In repositories that hold timm's vision tower as well, the other names are that tower's. */
const ownWeightFiles = [
  'open_clip_model.safetensors',
  'open_clip_model.safetensors.index.json',
  'open_clip_pytorch_model.bin',
  'open_clip_pytorch_model.bin.index.json',
  ...weightFiles,
];

/** A model in both layouts is read in that of transformers, if its family is known there. */
export const openClip: Layout = {
  async find(files) {
    const found = await findOpenClipConfig(files);
    if (found === undefined) return undefined;
    const { file, otherConfig } = found;
    const openTensors = async () =>
      files.single ? await readWeights(files.single) : (await openCheckpoint(files, ownWeightFiles)).tensors;
    const description = { json: await readJson(file), file: file.name, otherConfig };
    return { family: 'OpenCLIP', ...openClipModel(description, openTensors) };
  },
};

/** The configuration of a model in this layout, and what `config.json` beside it says; undefined for another layout. */
export async function findOpenClipConfig(files: ModelFiles) {
  const file = await files.read(openClipConfig);
  if (file === undefined) return undefined;
  const otherConfig = await readOtherConfig(files);
  return otherConfig && (await isInOtherLayout(files, otherConfig)) ? undefined : { file, otherConfig };
}

async function readOtherConfig(files: ModelFiles): Promise<SharedByTowers['otherConfig']> {
  const file = await files.read('config.json');
  return file && { json: await readJson(file), file: file.name };
}

async function isInOtherLayout(
  files: ModelFiles,
  { json, file }: NonNullable<SharedByTowers['otherConfig']>,
): Promise<boolean> {
  if (!isKnown(json, file)) return false;
  // Its weights may be only in this layout, all the same.
  const isThere = async (names: readonly string[]) =>
    (await Promise.all(names.map((name) => files.read(name)))).some((found) => found !== undefined);
  return (await isThere(weightFiles)) || !(await isThere(ownWeightFiles));
}
