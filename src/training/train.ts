/** Training phi: data, loss, gradient, step, log, checkpoint. */

import { LincirError, option, quoted } from '../core/index.ts';
import { lossOf, moveBy } from './learning.ts';
import type { DeviceMetrics, StepMetrics, ValidationMetrics } from './metrics.ts';
import type { RunOptions } from './open-run.ts';
import type { FlatParameters } from './parameters.ts';
import { Run } from './run.ts';
import type { TrainingSettings } from './settings.ts';

/** Events of a run. */
export type TrainingEvent =
  | TrainingBegin
  | StepMetrics
  | ValidationMetrics
  | DeviceMetrics
  | { readonly kind: 'saved'; readonly step: number; readonly folder: string }
  | { readonly kind: 'end'; readonly step: number; readonly reason: 'finished' | 'interrupted' };

export interface TrainingBegin {
  readonly kind: 'begin';
  readonly folder: string;
  /** Steps done before this part of the run. */
  readonly step: number;
  readonly settings: TrainingSettings;
  /** Captions of one epoch. */
  readonly epochLength: number;
  /** Parameters of phi. */
  readonly parameters: number;
}

/** The step of the early validation. */
const earlyLook = 50;
/** A run is saved at least this often, in milliseconds. */
const savingInterval = 300_000;

/**
 * Trains phi on captions (Gu et al., 2024), and yields an event for every step. Everything is in the run's folder:
 * whatever ends the process, `resume` continues from the last saved step, and ends with the same phi, bit for bit, on the
 * same device. Computes on the caller's thread, a part of a step at a time; other threads prepare captions, draw random
 * numbers and help the optimizer. Leaving the loop, or aborting `signal`, ends the run after the current step, and saves.
 * Aborting gives up a step that several `devices` compute.
 * @throws LincirError 'bad-argument' for settings that are impossible or differ from the resumed run's; 'bad-config' when the
 * loss is not finite; 'bad-file', 'not-found', 'network', 'io' and 'device' from captions, model and folder
 */
export async function* trainPhi(options: RunOptions): AsyncGenerator<TrainingEvent, void, void> {
  const { signal } = options;
  const run = await Run.open(options);
  const { settings, state, graphs, gradient } = run;
  const { batch, accumulation, steps, validateEvery, saveEvery } = settings;
  const secondsBefore = state.seconds;
  const begin = performance.now();
  let saved = { step: state.step, time: begin };
  /** The last step that is complete, including its validation. */
  let settled = state.step;

  try {
    const { folder, epochLength } = run;
    yield {
      kind: 'begin',
      folder,
      step: state.step,
      settings,
      epochLength,
      parameters: gradient.values.length,
    };
    while (state.step < steps && !signal?.aborted) {
      const step = state.step + 1;
      const [stepBegin, flops] = [performance.now(), graphs.flops];

      const loss = await lossOf(run, step, ({ captions }, errors) => {
        expectFinite(errors, captions, run, saved.step);
      }).catch((error: unknown) => {
        if (signal?.aborted && error === signal.reason) return undefined;
        throw error;
      });
      if (loss === undefined) break; // given up, because a device may be silent: state is still the last step's

      const { gradientNorm, learningRate } = moveBy(state, gradient, step, settings);
      if (!Number.isFinite(gradientNorm)) {
        throw notFinite('a finite gradient', `${gradientNorm}`, run, saved.step);
      }

      const now = performance.now();
      const stepSeconds = (now - stepBegin) / 1000;
      state.step = step;
      state.seconds = secondsBefore + (now - begin) / 1000;
      const metrics = await run.log({
        ...{ kind: 'step' as const, step, loss, learningRate, gradientNorm },
        captionsPerSecond: (batch * accumulation) / stepSeconds,
        gflopsPerSecond: (graphs.flops - flops) / stepSeconds / 1e9,
        seconds: state.seconds,
        memoryBytes: process.memoryUsage.rss(),
        time: new Date().toISOString(),
      });

      const isLooked = step === earlyLook || step % validateEvery === 0 || step === steps;
      const changes = await run.logDeviceChanges();
      const events: TrainingEvent[] = [...changes, metrics, ...(isLooked ? await run.validate() : [])];
      settled = step;
      if (step % saveEvery === 0 || step === steps || now - saved.time > savingInterval) {
        await run.save();
        saved = { step, time: performance.now() };
        events.push({ kind: 'saved', step, folder });
      }
      yield* events; // yielded when all is done, because the reader may leave at any of them
    }
    if (saved.step < state.step) await run.save();
    saved = { ...saved, step: state.step };
    yield { kind: 'end', step: state.step, reason: state.step < steps ? 'interrupted' : 'finished' };
  } finally {
    try {
      // The reader or an error ended the loop. Keep what is done, if it is whole and good.
      if (saved.step < settled && settled === state.step && areFinite(state.parameters)) await run.save();
    } finally {
      await run.close();
    }
  }
}

function expectFinite(errors: Float32Array, captions: readonly string[], run: Run, savedStep: number): void {
  const guilty = captions.filter((_, row) => !Number.isFinite(errors[row]));
  if (guilty.length === 0) return;
  const shown = guilty.slice(0, 3).map((caption) => quoted(caption));
  const found = `none for ${guilty.length} of ${captions.length} captions: ${shown.join(', ')}`;
  throw notFinite('a finite loss', found, run, savedStep);
}

function notFinite(expected: string, found: string, { folder, state }: Run, savedStep: number): LincirError {
  const good = areFinite(state.parameters) ? state.step : savedStep;
  const kept = good > 0 ? `the state of step ${good} is kept in ${folder}` : 'nothing was learnt yet';
  return new LincirError('bad-config', {
    subject: `step ${state.step + 1}`,
    expected,
    found,
    todo: `${kept}; try a lower learning rate, ${option<TrainingSettings>('warmup')} or ${option<TrainingSettings>('clipNorm')}`,
  });
}

function areFinite({ values }: FlatParameters): boolean {
  return values.every(Number.isFinite);
}
