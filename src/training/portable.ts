/** What needs no platform of training: a step's loss and gradient, its random part, phi's parameters in one array, settings. */

export { type DrawOptions, type Draws, drawPass } from './draw-pass.ts';
export { flatParameters, parameterCount } from './parameters.ts';
export { checkedSettings, type TrainingSettings, type TrainingSettingsInput } from './settings.ts';
export { TrainingStep } from './step.ts';
