/** A training run's settings: their defaults, their ranges, and the differences between two runs. */

import { z } from 'zod';
import { maskings } from '../captions/choices.ts';
import { LincirError, option, quoted, unquoted } from '../core/index.ts';
import { devices, floatPrecisions } from '../onnx/index.ts';
import { phiArchitectures, schedules } from '../phi/index.ts';
import type { RunOptions } from './open-run.ts';

const count = z.int('a whole number').min(1, 'at least 1').max(1e12, 'at most 1e12');
const amount = z.int('a whole number').min(0, 'at least 0').max(1e12, 'at most 1e12');
const positive = z.number('a number').positive('a number above 0');
const part = z.number('a number').min(0, 'at least 0').lt(1, 'below 1');

/** Everything that decides the phi of a run. Defaults are the method's (Gu et al., 2024, section 4.1). */
const outcome = {
  /** Files, patterns, hub data sets, each with or without `:WEIGHT`. */
  captions: z.array(z.string()).min(1, 'at least one source'),
  /** Columns of tables: the first of these that a file has contains its captions. */
  columns: z.array(z.string()).min(1, 'at least one name').default(['text']),
  /** What becomes a placeholder: keywords where they stand, or every occurrence of them, as in the authors' code. */
  masking: z.enum(maskings).default('spans'),
  architecture: z.enum(phiArchitectures).default('lincir'),
  /** Captions of one pass. */
  batch: count.max(1_000_000, 'at most 1,000,000').default(512),
  /** Passes of one step, whose gradients are averaged. */
  accumulation: count.default(1),
  learningRate: positive.default(1e-4),
  schedule: z.enum(schedules).default('constant'),
  /** Steps in which the learning rate rises from 0. */
  warmup: amount.default(0),
  /** Of the schedule 'cosine-restarts'. */
  cycles: count.default(1),
  /** Of the schedule 'polynomial'. */
  power: positive.default(1),
  beta1: part.default(0.9),
  beta2: part.default(0.999),
  epsilon: positive.default(1e-8),
  weightDecay: z.number('a number').min(0, 'at least 0').default(0.01),
  /** Scale longer gradients down to this length. Default: none. */
  clipNorm: positive.optional(),
  /** Also keep a moving average of phi. */
  ema: z.boolean().default(false),
  /** phi takes embeddings scaled to length 1, in training and later. */
  l2Normalize: z.boolean().default(false),
  /** Number format of the text tower's matrix products. phi, its loss and its moments are float32 all the same. */
  precision: z
    .enum(floatPrecisions, floatPrecisions.join(', ').replace(/, (?=\w+$)/, ' or '))
    .default('float32'),
  /** Strength of the noise: 1 is the method's, 0 is none. */
  noise: z.number('a number').min(0, 'at least 0').default(1),
  /** Dropout: the part of phi's hidden values that training drops. Default: the architecture's own. */
  dropout: part.optional(),
  seed: z.int('a whole number').min(0, 'at least 0').default(0),
  /** Validations, such as 'captions:FILE'. */
  validate: z.array(z.string()).default([]),
  /** Steps between validations. There is one more early on, at step 50. */
  validateEvery: count.default(1000),
} as const;

/** Settings that may change when a run is resumed. The results stay the same, to rounding. */
const operational = {
  /** A preset, a folder, or a name on the hub. A resumed run's must have the same fingerprint. */
  model: z.string(),
  /** Steps of the whole run. A resumed run may get more if its schedule is constant. */
  steps: count.default(20_000),
  /** Steps between saves. There is also one at least every five minutes. */
  saveEvery: count.default(1000),
  device: z.enum(devices).default('cpu'),
  /** Several devices instead of one: `cuda:0`, `cpu:2` (so many processes), addresses of machines that lend theirs. */
  devices: z.array(z.string(), "a list such as ['cpu:2']").min(1, 'at least one').optional(),
  /** Threads on the CPU, of each process. Default: one for each core. */
  threads: count.max(1024, 'at most 1024').optional(),
  /** GiB of disk. If the embeddings of all captions fit, they are computed once, not in every epoch. */
  embeddingCache: z.number('a number').min(0, 'at least 0').default(4),
  /** Token positions computed at once. Default: 1,024 on a CPU; on a GPU more, by its memory. */
  positionsPerRun: count.max(1e7, 'at most 1e7').optional(),
} as const;

const settingsSchema = z.strictObject({ ...outcome, ...operational });

export type TrainingSettings = z.output<typeof settingsSchema>;
/** Settings from a caller, who may leave out those with a default. */
export type TrainingSettingsInput = z.input<typeof settingsSchema>;

/**
 * Settings with their defaults filled in.
 * @param subject what messages call them; not given: they are a caller's own
 * @throws LincirError 'bad-argument' for an unknown key or a value out of range
 */
export function checkedSettings(settings: unknown, subject?: string): TrainingSettings {
  const result = settingsSchema.safeParse(settings);
  if (result.success) return result.data;
  const { path, message, ...issue } = result.error.issues[0]!;
  const [key, ...rest] = path;
  const named =
    key === undefined || subject !== undefined ? path : [option<TrainingSettings>(key as never), ...rest];
  const unknown = 'keys' in issue ? (issue.keys as string[]) : undefined;
  throw new LincirError('bad-argument', {
    subject: [...(subject === undefined ? [] : [subject]), ...named].join(': ') || 'settings',
    expected: unknown ? `settings out of ${Object.keys(settingsSchema.shape).join(', ')}` : message,
    found: unknown
      ? quoted(unknown.join(', '))
      : unquoted(JSON.stringify(valueAt(settings, path)) ?? 'nothing'),
    cause: result.error,
  });
}

/**
 * The settings of a resumed run.
 * @param given the caller's settings; those left out stay unchanged
 * @throws LincirError 'bad-argument' naming every setting that would change the run's result
 */
export function resumedSettings(
  stored: TrainingSettings,
  given: Partial<TrainingSettingsInput>,
  subject: string,
): TrainingSettings {
  // One device replaces several, and several replace one.
  const { device: _, devices: __, ...others } = stored;
  const before = given.device || given.devices ? others : stored;
  const wanted = checkedSettings({ ...before, ...withoutUndefined(given) }, subject);
  const differing = Object.keys(outcome).filter((key) => {
    const [before, now] = [stored, wanted].map((settings) => settings[key as keyof TrainingSettings]);
    return JSON.stringify(before) !== JSON.stringify(now);
  });
  if (wanted.steps !== stored.steps && stored.schedule !== 'constant') differing.push('steps');
  if (differing.length === 0) return wanted;
  const shown = differing.map((key) => {
    const [before, now] = [stored, wanted].map((settings) => settings[key as keyof TrainingSettings]);
    return `${key} ${JSON.stringify(now)} instead of ${JSON.stringify(before)}`;
  });
  throw new LincirError('bad-argument', {
    subject,
    expected: 'the settings that the run began with',
    found: unquoted(shown.join(', '), 400),
    todo: `leave these out, or begin another run with ${option<RunOptions>('out')}`,
  });
}

function withoutUndefined(settings: object): object {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

function valueAt(settings: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? (value as never)[key] : undefined),
    settings,
  );
}
