/** The kinds of towers that OpenCLIP's configuration can name. */

import { LincirError, quoted } from '../../../core/index.ts';
import type { TextConfig, VisionConfig } from '../../config.ts';
import { hfText } from './hf-text.ts';
import { ownText } from './own-text.ts';
import { ownVision } from './own-vision.ts';
import { timmVision } from './timm-vision.ts';
import type { OpenClipPart, OpenClipTower } from './tower.ts';

/** A new kind needs a line here. The first that fits is the tower's. */
const visionTowers: readonly OpenClipTower<VisionConfig>[] = [ownVision, timmVision];
const textTowers: readonly OpenClipTower<TextConfig>[] = [ownText, hfText];

/** Throws 'bad-config' that names a tower of another library. */
export function visionTowerOf(part: OpenClipPart, file: string): OpenClipTower<VisionConfig> {
  const tower = visionTowers.find(({ fits }) => fits(part));
  if (tower) return tower;
  throw unknownTower(`${file}: model_cfg.vision_cfg.timm_model_name`, part.timm_model_name);
}

/** Throws 'bad-config' that names a tower of another library. */
export function textTowerOf(part: OpenClipPart, file: string): OpenClipTower<TextConfig> {
  const tower = textTowers.find(({ fits }) => fits(part));
  if (tower) return tower;
  throw unknownTower(`${file}: model_cfg.text_cfg.hf_model_name`, part.hf_model_name);
}

function unknownTower(subject: string, name: unknown): LincirError {
  return new LincirError('bad-config', {
    subject,
    expected: 'a tower that lincir has',
    found: typeof name === 'string' ? quoted(name) : 'something that is no name',
    todo: 'choose another model',
  });
}
