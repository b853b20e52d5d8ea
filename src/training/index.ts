/** Training of phi on captions: runs, their folders and their reports. */

export { recipeFor } from './choices.ts';
export type { DeviceChange } from './devices/dealer.ts';
export type { DeviceFacts } from './devices/device.ts';
export { Lender, type LenderOptions } from './devices/lender.ts';
export { type DeviceMetrics, readMetrics, type StepMetrics, type ValidationMetrics } from './metrics.ts';
export type { RunHooks, RunOptions } from './open-run.ts';
export { positionsFor } from './positions.ts';
export { type RunConfig, readRunConfig, runFiles } from './run-folder.ts';
export type { TrainingSettings, TrainingSettingsInput } from './settings.ts';
export { TowerGraphs } from './tower-graphs.ts';
export { Towers } from './towers.ts';
export { type TrainingBegin, type TrainingEvent, trainPhi } from './train.ts';
export type { Validation } from './validation.ts';
