/** Opens a run's folder: makes a new one, with its captions copied and its configuration written, or resumes one. */

import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  CaptionCopy,
  type CaptionCopyProgress,
  type CopiedSource,
  findCaptionSources,
  type OnLeftOut,
} from '../captions/index.ts';
import { type Clip, loadClip } from '../clip/index.ts';
import { type DownloadProgress, LincirError, option } from '../core/index.ts';
import { type Lock, makeFolder, removeLeftovers, takeLock, versions } from '../files/index.ts';
import { datasetPresets, type Variables } from '../hub/index.ts';
import { expectPrecision, floatPrecisions } from '../onnx/index.ts';
import { phiShape } from '../phi/index.ts';
import { madeCaptions, madeNames } from './choices.ts';
import type { DeviceChange } from './devices/dealer.ts';
import { isLocal, ownPlace, placesOf } from './devices/names.ts';
import { DevicePool } from './devices/pool.ts';
import { OptimizerMemory } from './optimizer-memory.ts';
import { parameterCount } from './parameters.ts';
import {
  expectRoomForRun,
  type RunConfig,
  type RunState,
  readRunConfig,
  readState,
  runFiles,
  writeRunConfig,
} from './run-folder.ts';
import {
  checkedSettings,
  resumedSettings,
  type TrainingSettings,
  type TrainingSettingsInput,
} from './settings.ts';
import { type Validation, validationNamed } from './validation.ts';

/** Options of a run besides its settings. */
export interface RunHooks {
  /** Ends the run after the current step, and saves. A step that several `devices` compute is given up. */
  readonly signal?: AbortSignal;
  /** More validations. The first of all validations decides which phi is the best. */
  readonly validations?: readonly Validation[];
  /** Opens what `validate` names, except `captions:FILE`; undefined for an unknown name. */
  readonly openValidation?: (spec: string) => Promise<Validation | undefined>;
  /** Called for a row of a caption source without a usable caption. */
  readonly onLeftOut?: OnLeftOut;
  /** Called with how far the captions have been read. */
  readonly onCaptions?: (progress: CaptionCopyProgress) => void;
  /** The key of machines among `devices`. */
  readonly apiKey?: string;
  /** Called when something happens to one of several `devices`, at once: events tell of it after the step. */
  readonly onDeviceChange?: (change: DeviceChange) => void;
  /** Called during a model's download. */
  readonly onDownload?: (progress: DownloadProgress) => void;
  /** The hub's environment variables. Default: `process.env` */
  readonly environment?: Variables;
}

/** A new run in the folder `out`, or an earlier one in the folder `resume`, which keeps its settings. */
export type RunOptions = RunHooks &
  (
    | (TrainingSettingsInput & { readonly out: string; readonly resume?: undefined })
    | (Partial<TrainingSettingsInput> & { readonly resume: string; readonly out?: undefined })
  );

export interface OpenedRun {
  readonly folder: string;
  readonly config: RunConfig;
  readonly clip: Clip;
  /** Several devices, if the settings name them. */
  readonly pool: DevicePool | undefined;
  readonly lock: Lock;
  /** Has room for the state's arrays, and for gradients. */
  readonly memory: OptimizerMemory;
  readonly state: RunState;
  readonly validations: readonly Validation[];
}

export async function openRunFolder(options: RunOptions): Promise<OpenedRun> {
  const { out, resume, signal, onDownload } = options;
  const given = settingsIn(options);
  const folder = resolve(out ?? resume);
  // Refuse whatever can be refused before anything is made.
  expectOneWay(given);
  const stored = resume === undefined ? undefined : await readRunConfig(folder);
  const settings = stored
    ? resumedSettings(stored.settings, withPaths(given), option<RunOptions>('resume', resume))
    : checkedSettings(withPaths(given));
  expectDevices(settings);
  const validations: Validation[] = [];
  for (const spec of settings.validate) {
    const named = await options.openValidation?.(spec);
    validations.push(named ?? validationNamed(spec, { ...settings, onLeftOut: options.onLeftOut }));
  }
  validations.push(...(options.validations ?? []));
  await makeFolder(folder);
  const lock = await takeLock(join(folder, runFiles.lock));
  let clip: Clip | undefined;
  let pool: DevicePool | undefined;
  let memory: OptimizerMemory | undefined;
  try {
    await removeLeftovers(folder);
    if (!stored) await expectRoomForRun(folder);
    clip = await loadClip(settings.model, {
      ...ownPlace(settings),
      onDownload,
      signal,
    });
    if (stored) {
      expectSameModel(clip, stored, folder);
      expectPhiOf(clip, stored, folder);
    }
    // A device that is not there is told of before captions are read, which may take long.
    pool = await DevicePool.open(clip, settings, { ...options, run: folder });
    const config = stored ? { ...stored, settings } : await newConfig(clip, settings, folder, options);
    // Parameters, two moments and a gradient, and what these settings take besides.
    const arrays = 4 + (settings.ema ? 1 : 0) + (settings.accumulation > 1 ? 1 : 0);
    memory = await OptimizerMemory.create(parameterCount(config.phi), arrays, settings.threads);
    const state = await readState(folder, config.phi, settings, memory.array);
    if (state.step < settings.steps) await expectCaptions(config, folder, options);
    if (!stored || settings !== stored.settings) await writeRunConfig(folder, config);
    return { folder, clip, pool, lock, config, memory, state, validations };
  } catch (error) {
    await memory?.close();
    await pool?.dispose();
    await clip?.dispose();
    await lock.release();
    throw error;
  }
}

function expectDevices({ device, devices, threads, precision }: TrainingSettings): void {
  const own = devices ? placesOf(devices, threads).filter(isLocal) : [{ device }];
  for (const place of own) expectPrecision(precision, place.device, floatPrecisions);
}

function expectOneWay({ device, devices }: Partial<TrainingSettingsInput>): void {
  if (device === undefined || devices === undefined) return;
  const [one, several] = [option<RunOptions>('device'), option<RunOptions>('devices')];
  throw new LincirError('bad-argument', {
    subject: several,
    expected: `either ${one} or ${several}`,
    found: 'both',
    todo: `leave out ${one}`,
  });
}

/** Begins a run. Its captions are copied, so that it can be resumed without their sources. */
async function newConfig(
  clip: Clip,
  settings: TrainingSettings,
  folder: string,
  options: RunHooks,
): Promise<RunConfig> {
  const { id, textConfig, fingerprint } = clip;
  const { placeholder } = clip.tokenizer; // before captions are copied: a vocabulary may lack it
  return {
    settings: { ...settings, model: id === undefined ? clip.folder : settings.model },
    model: { id: id ?? null, folder: clip.folder, fingerprint },
    phi: phiShape(settings.architecture, textConfig),
    captions: await copyCaptions(settings, folder, options),
    placeholder,
    versions: versions(),
    begun: new Date().toISOString(),
  };
}

async function copyCaptions(
  { captions, columns }: TrainingSettings,
  folder: string,
  { signal, environment, onLeftOut, onCaptions }: RunHooks,
): Promise<readonly CopiedSource[]> {
  const sources = await findCaptionSources(captions, { columns, made: madeCaptions, signal, environment });
  const store = await CaptionCopy.build(join(folder, runFiles.captions), sources, {
    onLeftOut,
    onProgress: onCaptions,
    signal,
  });
  await store.close();
  return store.sources;
}

/** The run's copy of its captions. A finished run has removed it: then they are copied again, and must be the same. */
async function expectCaptions(config: RunConfig, folder: string, hooks: RunHooks): Promise<void> {
  const isCopied = await CaptionCopy.open(join(folder, runFiles.captions)).then(
    async (store) => {
      await store.close();
      return true;
    },
    (error: unknown) => {
      if (error instanceof LincirError && error.code !== 'io') return false;
      throw error;
    },
  );
  if (isCopied) return;
  const found = await copyCaptions(config.settings, folder, hooks);
  const changed = config.captions.filter(({ sha256 }, index) => found[index]?.sha256 !== sha256);
  if (changed.length === 0 && found.length === config.captions.length) return;
  await rm(join(folder, runFiles.captions), { recursive: true });
  throw new LincirError('bad-argument', {
    subject: changed[0]?.name ?? config.settings.captions.join(', '),
    expected: 'the captions that the run began with',
    found: changed.length > 0 ? 'others' : `${found.length} files instead of ${config.captions.length}`,
    todo: 'restore them, or begin another run',
  });
}

function expectSameModel({ fingerprint, folder }: Clip, { model }: RunConfig, run: string): void {
  if (fingerprint === model.fingerprint) return;
  throw new LincirError('bad-argument', {
    subject: run,
    expected: `the model that the run began with, ${model.id ?? model.folder} (fingerprint ${model.fingerprint})`,
    found: `${folder} (fingerprint ${fingerprint})`,
    todo: `give that model with ${option<RunOptions>('model')}, or begin another run`,
  });
}

/** Checked before memory of its size is taken. */
function expectPhiOf({ textConfig }: Clip, { settings, phi }: RunConfig, run: string): void {
  const [expected, found] = [phiShape(settings.architecture, textConfig), phi].map(
    ({ architecture, input, hidden, output }) => `${architecture} ${input}, ${hidden}, ${output}`,
  );
  if (found === expected) return;
  throw new LincirError('bad-file', {
    subject: `${join(run, runFiles.config)}: phi`,
    expected: `that of the run's architecture and model, ${expected}`,
    found: `${found}`,
    todo: 'put back what the run wrote there',
  });
}

function settingsIn(options: RunOptions): Partial<TrainingSettingsInput> {
  const { out, resume, signal, validations, openValidation, ...others } = options;
  const { onLeftOut, onCaptions, onDownload, onDeviceChange, environment, apiKey, ...settings } = others;
  return settings;
}

/** Makes the paths in settings absolute, so that they are valid in any folder. */
function withPaths(settings: Partial<TrainingSettingsInput>): Partial<TrainingSettingsInput> {
  const names = [...datasetPresets.map(({ name }) => name), ...madeNames];
  const isPath = (spec: string): boolean =>
    !spec.startsWith('hf://') && !names.some((name) => spec === name || spec.startsWith(`${name}:`));
  const captions = settings.captions?.map((spec) => (isPath(spec) ? resolve(spec) : spec));
  const validate = settings.validate?.map((spec) =>
    spec.replace(/^([^:]*:)(.+)$/s, (_, kind: string, path: string) => kind + resolve(path)),
  );
  return { ...settings, captions, validate };
}
