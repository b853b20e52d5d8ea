/** A run's folder: its configuration, and the state from which it resumes. Each file is whole or absent. */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type CopiedSource, sourceSchema } from '../captions/index.ts';
import {
  checkedValue,
  LincirError,
  listOf,
  option,
  parseJsonText,
  quoted,
  readOwnTensor,
  readSafetensorsHeader,
  recordOf,
} from '../core/index.ts';
import { asLincirError, readingFile, readJsonFile, writeJsonFile, writeSafetensors } from '../files/index.ts';
import { runPhis } from '../hub/index.ts';
import {
  initialPhi,
  type Moments,
  type PhiParameters,
  type PhiShape,
  phiArchitectures,
  widthLimit,
} from '../phi/index.ts';
import type { RunOptions } from './open-run.ts';
import { type FlatParameters, flatParameters, newArray } from './parameters.ts';
import { checkedSettings, type TrainingSettings } from './settings.ts';

export const runFiles = {
  config: 'config.json',
  metrics: 'metrics.jsonl',
  state: 'state.safetensors',
  ...runPhis,
  average: 'phi-ema.safetensors',
  report: 'report.html',
  lock: '.lock',
  /** Only while the run is unfinished. */
  captions: 'captions',
  embeddings: 'captions/embeddings.f32',
} as const;

/** `config.json`: enough to repeat the run. */
export interface RunConfig {
  readonly settings: TrainingSettings;
  readonly model: { readonly id: string | null; readonly folder: string; readonly fingerprint: string };
  readonly phi: PhiShape;
  /** The word of the model's tokenizer in whose place pseudo tokens stand. Older runs do not say it. */
  readonly placeholder?: { readonly word: string; readonly id: number } | undefined;
  readonly captions: readonly CopiedSource[];
  readonly versions: Readonly<Record<string, string>>;
  /** ISO time. */
  readonly begun: string;
}

/** The best phi so far. */
export interface Best {
  readonly step: number;
  readonly score: number;
}

/** State of a run. The arrays change with every step. */
export interface RunState {
  /** Steps done. */
  step: number;
  /** Seconds of work, without interruptions. */
  seconds: number;
  best: Best | undefined;
  readonly parameters: FlatParameters;
  readonly moments: Moments;
  readonly average: FlatParameters | undefined;
}

const width = z.int().min(1, 'at least 1').max(widthLimit, `at most ${widthLimit}`);
const configSchema = z.object({
  format: z.literal('lincir-run'),
  version: z.literal(1),
  settings: recordOf(z.unknown()),
  model: z.object({ id: z.string().nullable(), folder: z.string(), fingerprint: z.string() }),
  phi: z.object({ architecture: z.enum(phiArchitectures), input: width, hidden: width, output: width }),
  placeholder: z.object({ word: z.string(), id: z.int().nonnegative() }).optional(),
  captions: listOf(sourceSchema),
  versions: recordOf(z.string()),
  begun: z.string(),
});

const stateSchema = z.object({
  format: z.literal('lincir-state'),
  step: z.coerce.number().int().nonnegative(),
  seconds: z.coerce.number().nonnegative(),
  best: z.string(),
});
const bestSchema = z.object({ step: z.int().nonnegative(), score: z.number() }).nullable();

/** Refuses a folder that has a run already, or foreign files. */
export async function expectRoomForRun(folder: string): Promise<void> {
  const present = await readdir(folder).catch((error: unknown) => {
    throw asLincirError(error, folder, 'write');
  });
  if (present.includes(runFiles.config)) {
    throw new LincirError('bad-argument', {
      subject: folder,
      expected: 'an empty or new folder',
      found: 'a run',
      todo: `go on with it with ${option<RunOptions>('resume', folder)}, or choose another ${option<RunOptions>('out')}`,
    });
  }
  const others = present.filter((name) => name !== runFiles.captions && name !== runFiles.lock);
  if (others.length === 0) return;
  throw new LincirError('bad-argument', {
    subject: folder,
    expected: 'an empty or new folder',
    found: quoted(others.join(', ')),
    todo: `choose another ${option<RunOptions>('out')}`,
  });
}

export async function writeRunConfig(folder: string, config: RunConfig): Promise<void> {
  await writeJsonFile(join(folder, runFiles.config), { format: 'lincir-run', version: 1, ...config });
}

/** Throws 'not-found' if there is no run, and 'bad-file'. */
export async function readRunConfig(folder: string): Promise<RunConfig> {
  const file = join(folder, runFiles.config);
  const json = await readJsonFile(file).catch((error: unknown) => {
    if (!(error instanceof LincirError && error.code === 'not-found')) throw error;
    throw new LincirError('not-found', {
      subject: folder,
      expected: `the folder of a run, with its ${runFiles.config}`,
      found: 'none',
      todo: `check the path; a run that was stopped before its first step is begun again with the same ${option<RunOptions>('out')}`,
      cause: error,
    });
  });
  const config = checkedValue(configSchema, json, file, 'put back what the run wrote there');
  return { ...config, settings: checkedSettings(config.settings, `${file}: settings`) };
}

/** The initial state of a run. */
export function initialState(
  shape: PhiShape,
  { seed, ema }: TrainingSettings,
  makeArray = newArray,
): RunState {
  const initial = initialPhi(shape, seed);
  const room = (values?: PhiParameters) => flatParameters(shape, values, makeArray);
  return {
    step: 0,
    seconds: 0,
    best: undefined,
    parameters: room(initial),
    moments: { first: room().values, second: room().values },
    average: ema ? room(initial) : undefined,
  };
}

/** Writes the whole state as one file, so that it is never torn. */
export async function writeState(folder: string, state: RunState): Promise<void> {
  const { step, seconds, best } = state;
  const tensors = Object.entries(arraysOf(state)).map(([name, data]) => ({
    name,
    type: 'float32' as const,
    shape: [data.length],
    data,
  }));
  await writeSafetensors(join(folder, runFiles.state), tensors, {
    format: 'lincir-state',
    step: `${step}`,
    seconds: `${seconds}`,
    best: JSON.stringify(best ?? null),
  });
}

/** Reads the last state, or returns the initial one if there is none. Throws 'bad-file'. */
export async function readState(
  folder: string,
  shape: PhiShape,
  settings: TrainingSettings,
  makeArray = newArray,
): Promise<RunState> {
  const state = initialState(shape, settings, makeArray);
  const file = join(folder, runFiles.state);
  const header = await readingFile(file, readSafetensorsHeader).catch((error: unknown) => {
    if (error instanceof LincirError && error.code === 'not-found') return undefined;
    throw error;
  });
  if (header === undefined) return state;
  const { step, seconds, best } = checkedValue(stateSchema, header.metadata, `${file}: __metadata__`);
  const place = `${file}: __metadata__: best`;
  const bestSoFar = checkedValue(bestSchema, parseJsonText(best, place), place) ?? undefined;
  const arrays = arraysOf(state);
  const others = [...header.tensors.keys()].filter((name) => !Object.hasOwn(arrays, name));
  if (others.length > 0) {
    throw new LincirError('bad-file', {
      subject: file,
      expected: `the tensors ${Object.keys(arrays).join(', ')}`,
      found: `also ${quoted(others.join(', '))}`,
    });
  }
  for (const [name, array] of Object.entries(arrays)) {
    array.set((await readOwnTensor(file, header.tensors, name, [array.length])).data);
  }
  return { ...state, step, seconds, best: bestSoFar };
}

/** All arrays of a state, by the names of their tensors. */
function arraysOf({ parameters, moments, average }: RunState): Readonly<Record<string, Float32Array>> {
  return { parameters: parameters.values, ...moments, ...(average && { average: average.values }) };
}
