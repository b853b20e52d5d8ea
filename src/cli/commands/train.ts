/** `lincir train`: trains phi on captions, with a line that shows progress. */

import {
  formatBytes,
  formatCount,
  formatCounted,
  formatDuration,
  formatRate,
  LincirError,
} from '../../core/index.ts';
import { cacheFolder } from '../../files/index.ts';
import {
  type DeviceChange,
  type RunHooks,
  type RunOptions,
  recipeFor,
  type StepMetrics,
  type TrainingBegin,
  type TrainingSettingsInput,
  trainPhi,
  type Validation,
  type ValidationMetrics,
} from '../../training/index.ts';
import { type Context, downloadBar, Warnings } from '../context.ts';
import { refuseIdle } from '../idle-options.ts';
import { readKeys } from '../serving/keys.ts';

interface TrainOptions extends Partial<Omit<TrainingSettingsInput, 'columns'>> {
  readonly column?: string[];
  readonly out?: string;
  readonly resume?: string;
  readonly json?: boolean;
  readonly apiKeyFile?: string;
}

/** Seconds between lines where there is no terminal. */
const secondsPerLine = 60;
/** Steps after which the total time is estimated. The first one does not count, because it is slower. */
const stepsToMeasure = 3;
/** Seconds below which no estimate is needed. */
const shortTime = 600;

export async function train(options: TrainOptions, context: Context): Promise<void> {
  const { json, column, apiKeyFile, ...given } = options;
  const { reporter, signal, print } = context;
  const needsKey = apiKeyFile !== undefined || given.resume !== undefined || isElsewhere(given.devices);
  const leftOut = new Warnings(reporter, 'captions are left out');
  const hooks: RunHooks = {
    signal,
    onLeftOut: (where, reason) => leftOut.add(`${where}: ${reason}: left out`),
    onCaptions: ({ captions }) => reporter.advance(captions),
    onDownload: downloadBar(reporter, given.model ?? 'the model'),
    onDeviceChange: (change) => reporter.note(deviceLine(change)),
    openValidation: benchmarkValidation,
    apiKey: needsKey ? (await readKeys(apiKeyFile, process.env))[0] : undefined,
  };
  const recipe = given.resume === undefined ? await recipeFor(given.captions) : {};
  if (given.resume === undefined) {
    const { schedule, validate } = { ...recipe, ...given };
    refuseIdle([
      ['--cycles', given.cycles, schedule === 'cosine-restarts', '--schedule cosine-restarts as well'],
      ['--power', given.power, schedule === 'polynomial', '--schedule polynomial as well'],
      ['--validate-every', given.validateEvery, validate !== undefined, '--validate as well'],
      ['--api-key-file', apiKeyFile, isElsewhere(given.devices), 'an address among --devices as well'],
    ]);
  }
  const events = trainPhi({ ...recipe, ...runOf(given), columns: column, ...hooks });
  reporter.begin({ label: 'reading', unit: 'captions' });
  const line = new TrainingLine(context);
  let folder = '';
  for await (const event of events) {
    if (json) print(JSON.stringify(event));
    if (event.kind === 'begin') {
      leftOut.finish();
      folder = event.folder;
      line.begin(event);
    } else if (event.kind === 'step') line.step(event);
    else if (event.kind === 'validation') line.validation(event);
    else if (event.kind === 'end') {
      reporter.end();
      const again = `lincir train --resume ${options.resume ?? options.out}`;
      if (event.reason === 'finished') reporter.note(`${formatCounted(event.step, 'steps')} → ${folder}`);
      else reporter.note(`stopped after step ${formatCount(event.step)}, all saved: ${again} continues`);
    }
  }
  signal.throwIfAborted();
}

function deviceLine({ device, state, reason }: DeviceChange): string {
  const told = {
    lost: `lost ${device}`,
    awaited: `waiting for ${device}`,
    differs: `warning: ${device}`,
    back: `${device} is back`,
  }[state];
  return reason === undefined ? told : `${told}: ${reason}`;
}

/** Whether any of these devices is another machine's. */
function isElsewhere(devices: readonly string[] = []): boolean {
  return devices.some((name) => /^https?:/i.test(name));
}

/** `cirr:FOLDER` and the like: a benchmark's split whose answers are known. */
async function benchmarkValidation(spec: string): Promise<Validation | undefined> {
  const [, name, folder] = /^([^:]*):(.+)$/s.exec(spec) ?? [];
  if (name === undefined || folder === undefined || name === 'captions') return undefined;
  const { openBenchmark, validationOn } = await import('../../benchmarks/index.ts');
  return validationOn(await openBenchmark(name, folder), { cache: cacheFolder() });
}

/** A bar in a terminal; elsewhere a line now and then. */
class TrainingLine {
  readonly #context: Context;
  #last = 0;
  #begin: TrainingBegin | undefined;
  /** When the first step ended, in seconds since the run began. */
  #afterFirst = 0;

  constructor(context: Context) {
    this.#context = context;
  }

  begin(begin: TrainingBegin): void {
    const { step, settings, epochLength, parameters } = begin;
    const { reporter } = this.#context;
    this.#begin = begin;
    reporter.note(
      `${formatCounted(parameters, 'parameters')}, ${formatCounted(epochLength, 'captions')} an epoch, ${formatCount(settings.batch * settings.accumulation)} a step${settings.devices ? `, on ${settings.devices.join(', ')}` : ''}${step > 0 ? `; continuing after step ${formatCount(step)}` : ''}`,
    );
    reporter.begin({ label: 'training', unit: 'steps', total: settings.steps, begun: step });
  }

  step(metrics: StepMetrics): void {
    const { reporter } = this.#context;
    const { step, loss, learningRate, captionsPerSecond, gflopsPerSecond, memoryBytes, seconds } = metrics;
    const details = [
      `loss ${loss.toPrecision(4)}`,
      formatRate(captionsPerSecond, 'captions'),
      `${Math.round(gflopsPerSecond)} GFLOP/s`,
      `rate ${learningRate.toPrecision(2)}`,
      formatBytes(memoryBytes),
    ].join(', ');
    reporter.advance(step, details);
    const measured = step - this.#begin!.step;
    if (measured === 1) this.#afterFirst = seconds;
    if (measured === stepsToMeasure) {
      const each = (seconds - this.#afterFirst) / (stepsToMeasure - 1);
      const ahead = timeAhead(this.#begin!, step, each);
      if (ahead !== undefined) reporter.note(ahead);
    }
    if (reporter.isTerminal || (seconds - this.#last < secondsPerLine && step > 1)) return;
    this.#last = seconds;
    reporter.note(`step ${formatCount(step)}: ${details}, ${formatDuration(seconds)}`);
  }

  validation({ step, name, phi, metrics, best }: ValidationMetrics): void {
    const figures = Object.entries(metrics).map(([metric, value]) => `${metric} ${value.toPrecision(4)}`);
    const of = phi === 'ema' ? `${name}, EMA` : name;
    this.#context.reporter.note(
      `step ${formatCount(step)}, ${of}: ${figures.join(', ')}${best ? ' (best so far)' : ''}`,
    );
  }
}

/** How long the remaining steps will take, if that is long. */
export function timeAhead(
  { settings }: Pick<TrainingBegin, 'settings'>,
  step: number,
  secondsPerStep: number,
): string | undefined {
  const { steps, batch, accumulation } = settings;
  const seconds = (steps - step) * secondsPerStep;
  if (seconds < shortTime) return undefined;
  const time = seconds < 7200 ? formatDuration(seconds) : `${formatCount(Math.round(seconds / 3600))} hours`;
  const work = `${formatCount(steps - step)} steps of ${formatCount(batch * accumulation)} captions`;
  return `${work} will take about ${time} here; Ctrl-C stops and saves, --resume continues`;
}

/** Either a new run with all that it needs, or one to continue. */
function runOf({
  out,
  resume,
  model,
  captions,
  ...others
}: Omit<TrainOptions, 'json' | 'column' | 'apiKeyFile'>): RunOptions {
  if (resume !== undefined && out === undefined) {
    return { resume, ...others, model, captions };
  }
  if (resume === undefined && out !== undefined && model !== undefined && captions !== undefined) {
    return { out, model, captions, ...others };
  }
  const found = Object.entries({ model, captions, out, resume }).filter(([, value]) => value !== undefined);
  throw new LincirError('bad-argument', {
    subject: 'lincir train',
    expected: '--model, --captions and --out, or --resume',
    found: found.map(([name]) => `--${name}`).join(' and ') || 'none of them',
  });
}
