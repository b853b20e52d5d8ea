/** Holds a checkpoint's tensors against what the towers of its configuration need. */

import { type Checkpoint, LincirError, quoted, type StoredTensor } from '../../core/index.ts';
import { input } from '../../onnx/index.ts';
import type { ClipConfig } from '../config.ts';
import { textInputs } from '../text-inputs.ts';
import { textTower } from '../text-tower.ts';
import { type Parameter, parametersOf } from '../transformer.ts';
import { visionInput, visionTower } from '../vision-tower.ts';

/** Tables of 0, 1, 2, …, which older versions of transformers stored. */
const counted = /\.position_ids$/;
const shown = 3;

/**
 * Throws 'bad-file' for tensors of a tower that it does not use, that are missing or have another shape: then configuration and
 * weights are not of one model. Other tensors, such as the temperature of the training's loss, are left alone.
 */
export function expectTensors(config: ClipConfig, { tensors }: Checkpoint): void {
  const used = shapesOf(config);
  const { text, vision } = config;
  const towers = [...(text ? ['text_'] : []), ...(vision ? ['vision_', 'visual_'] : [])];
  const surplus = [...tensors].filter(
    ([name]) => !used.has(name) && towers.some((tower) => name.startsWith(tower)) && !counted.test(name),
  );
  if (surplus.length > 0) throw surplusTensors(surplus);
  const parameter = parametersOf(tensors);
  for (const [name, shape] of used) parameter(name, shape);
}

/** The shapes of what both towers need, by name. */
function shapesOf({ text, vision }: ClipConfig): ReadonlyMap<string, readonly number[]> {
  const used = new Map<string, readonly number[]>();
  const parameter: Parameter = (name, shape) => {
    used.set(name, shape);
    return input(name, 'float32', shape);
  };
  if (text) textTower(textInputs(text), text, parameter);
  if (vision) visionTower(visionInput(vision), vision, parameter);
  return used;
}

function surplusTensors(surplus: readonly (readonly [string, StoredTensor])[]): LincirError {
  const names = surplus.slice(0, shown).map(([, stored]) => stored.name);
  const more = surplus.length > shown ? ` and ${surplus.length - shown} more` : '';
  return new LincirError('bad-file', {
    subject: surplus[0]![1].source.name,
    expected: 'only tensors that the towers of its configuration use',
    found: `${quoted(names.join(', '), 200)}${more}`,
    todo: 'choose a folder whose configuration and weights are of one model',
  });
}
