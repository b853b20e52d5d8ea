/** A running training: opens and checks everything it needs, and writes its folder. */

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CaptionBatches, captionOrder } from '../captions/index.ts';
import { LincirError } from '../core/index.ts';
import { writeSafetensors } from '../files/index.ts';
import { defaultDropout, Phi, type PhiInfo, type PhiShape, phiTensors } from '../phi/index.ts';
import { ownPlace } from './devices/names.ts';
import { DrawsAhead } from './draws.ts';
import { EmbeddingCache } from './embedding-cache.ts';
import type { GrowingFile } from './growing-file.ts';
import type { MakeEmbeddings } from './known-embeddings.ts';
import {
  type DeviceMetrics,
  type Metrics,
  openMetricsLog,
  readMetrics,
  type ValidationMetrics,
} from './metrics.ts';
import { type OpenedRun, openRunFolder, type RunOptions } from './open-run.ts';
import { type FlatParameters, flatParameters } from './parameters.ts';
import { positionsOf } from './positions.ts';
import { writeReport } from './report/page.ts';
import { type RunConfig, type RunState, runFiles, writeState } from './run-folder.ts';
import type { TrainingSettings } from './settings.ts';
import { TrainingStep } from './step.ts';
import { openTensorboardLog } from './tensorboard.ts';

/** All that a run has open. */
interface RunParts extends OpenedRun {
  readonly batches: CaptionBatches;
  readonly draws: DrawsAhead;
  readonly cache: EmbeddingCache | undefined;
  readonly metrics: GrowingFile<Metrics>;
  readonly tensorboard: GrowingFile<Metrics>;
  readonly graphs: TrainingStep;
}

/** A run that is ready to train. Owns a lock, a thread and memory outside JavaScript: close it. */
export class Run {
  readonly folder: string;
  readonly settings: TrainingSettings;
  readonly shape: PhiShape;
  readonly state: RunState;
  /** Room for the gradient of a step, and for that of a pass if a step has several. */
  readonly gradient: FlatParameters;
  readonly passGradient: FlatParameters | undefined;
  readonly graphs: TrainingStep;
  readonly batches: CaptionBatches;
  readonly draws: DrawsAhead;
  /** Captions of one epoch. */
  readonly epochLength: number;
  readonly #parts: RunParts;

  /** Opens everything that the run needs. If something fails, nothing stays open. */
  static async open(options: RunOptions): Promise<Run> {
    const opened = await openRunFolder(options);
    const closers = [
      () => opened.lock.release(),
      () => opened.clip.dispose(),
      () => opened.memory.close(),
      async () => opened.pool?.dispose(),
    ];
    try {
      const { folder, config, clip, state } = opened;
      const { settings } = config;
      const batches = new CaptionBatches({
        copyFolder: join(folder, runFiles.captions),
        modelFolder: clip.folder,
        masking: settings.masking,
        seed: settings.seed,
      });
      closers.push(() => batches.close());
      const draws = new DrawsAhead({
        ...settings,
        ...config.phi,
        passes: settings.accumulation,
        dropout: settings.dropout ?? defaultDropout(settings.architecture),
      });
      closers.push(() => draws.close());
      const cache = openCache(folder, config, state.step);
      closers.push(async () => cache?.close());
      const metrics = await openMetricsLog(join(folder, runFiles.metrics), state.step);
      closers.push(() => metrics.close());
      const tensorboard = await openTensorboardLog(folder, readMetrics(join(folder, runFiles.metrics)));
      closers.push(() => tensorboard.close());
      const model = {
        config: clip.textConfig,
        tensors: clip.checkpoint.tensors,
        startOfText: clip.tokenizer.startOfText,
      };
      const graphs = await TrainingStep.create(model, config.phi, {
        ...settings,
        ...ownPlace(settings),
        positionsPerRun: positionsOf(settings, model.config),
        runner: opened.pool,
      });
      return new Run({ ...opened, batches, draws, cache, metrics, tensorboard, graphs });
    } catch (error) {
      for (const close of closers.reverse()) await close();
      throw error;
    }
  }

  private constructor(parts: RunParts) {
    const { config, folder, state, graphs, batches, draws } = parts;
    this.folder = folder;
    this.settings = config.settings;
    this.shape = config.phi;
    this.state = state;
    const room = () => flatParameters(config.phi, undefined, parts.memory.array);
    this.gradient = room();
    this.passGradient = config.settings.accumulation > 1 ? room() : undefined;
    this.graphs = graphs;
    this.batches = batches;
    this.draws = draws;
    this.epochLength = captionOrder(config.captions, config.settings.seed).epochLength;
    this.#parts = parts;
  }

  /** The embeddings of captions, by their numbers: from the cache, or computed by `make`. */
  readonly embeddings = async (
    numbers: readonly number[],
    step: number,
    make: MakeEmbeddings,
  ): Promise<Float32Array> =>
    this.#parts.cache
      ? await this.#parts.cache.embeddings(numbers, step, make)
      : await make([...numbers.keys()]);

  /** Logs the record of a step or a validation, and returns it. */
  async log<Record extends Metrics>(record: Record): Promise<Record> {
    await this.#parts.metrics.append(record);
    await this.#parts.tensorboard.append(record);
    return record;
  }

  /** Logs what has happened to devices since the last time, and returns it. */
  async logDeviceChanges(): Promise<DeviceMetrics[]> {
    const records: DeviceMetrics[] = [];
    for (const change of this.#parts.pool?.takeChanges() ?? []) {
      const about = { kind: 'device', step: this.state.step, ...change } as const;
      records.push(await this.log({ ...about, time: new Date().toISOString() }));
    }
    return records;
  }

  /** Validates phi, and its average if there is one. Keeps the best by the first validation. */
  async validate(): Promise<ValidationMetrics[]> {
    const records: ValidationMetrics[] = [];
    const { step, parameters, average } = this.state;
    const [first] = this.#parts.validations;
    for (const [kind, flat] of Object.entries({ phi: parameters, ...(average && { ema: average }) })) {
      const info = this.#phiInfo();
      const phi = await Phi.create(info, flat.tensors, ownPlace(this.settings));
      try {
        for (const validation of this.#parts.validations) {
          const metrics = await validation.evaluate({ clip: this.#parts.clip, phi });
          const score = metrics[validation.primaryMetric]!;
          const best = validation === first && score > (this.state.best?.score ?? Number.NEGATIVE_INFINITY);
          if (best) {
            await writeSafetensors(join(this.folder, runFiles.best), ...phiTensors(info, flat.tensors));
            this.state.best = { step, score };
          }
          const about = {
            kind: 'validation',
            step,
            name: validation.name,
            phi: kind as 'phi' | 'ema',
          } as const;
          records.push(await this.log({ ...about, metrics, best, time: new Date().toISOString() }));
        }
      } finally {
        await phi.dispose();
      }
    }
    return records;
  }

  /** Saves the current state as the one from which the run resumes. */
  async save(): Promise<void> {
    const { folder, state } = this;
    if (!(await this.#parts.lock.isOurs())) {
      throw new LincirError('io', {
        subject: folder,
        expected: 'to be the only process that works on it',
        found: 'that another process has taken it over',
        todo: 'let one of the two finish',
      });
    }
    const info = this.#phiInfo();
    const write = (name: string, { tensors }: FlatParameters) =>
      writeSafetensors(join(folder, name), ...phiTensors(info, tensors));
    await write(runFiles.latest, state.parameters);
    if (state.average) await write(runFiles.average, state.average);
    await this.#parts.metrics.flush();
    this.#parts.cache?.flush();
    // Last, because the run resumes from it.
    await writeState(folder, state);
    await this.#report('running');
  }

  /** Closes everything. A finished run no longer needs its copy of the captions. */
  async close(): Promise<void> {
    const isFinished = this.state.step >= this.settings.steps;
    try {
      await this.batches.close();
      await this.draws.close();
      await this.graphs.dispose();
      await this.logDeviceChanges();
      await this.#parts.memory.close();
      await this.#parts.clip.dispose();
      this.#parts.cache?.close();
      await this.#parts.metrics.close();
      await this.#parts.tensorboard.close();
      await this.#report(isFinished ? 'finished' : 'interrupted');
      if (isFinished) await rm(join(this.folder, runFiles.captions), { recursive: true, force: true });
    } finally {
      await this.#parts.lock.release();
    }
  }

  #phiInfo(): PhiInfo {
    const { settings, shape, state } = this;
    const { id, folder, fingerprint } = this.#parts.config.model;
    return { shape, model: id ?? folder, fingerprint, l2Normalize: settings.l2Normalize, step: state.step };
  }

  async #report(status: 'running' | 'finished' | 'interrupted'): Promise<void> {
    const { folder, settings, shape, state } = this;
    await writeReport(join(folder, runFiles.report), {
      title: `phi for ${this.#parts.config.model.id ?? this.#parts.config.model.folder}`,
      settings: [
        ['Captions', this.#parts.config.captions.map(({ origin }) => origin).join(', ')],
        ['Captions an epoch', this.epochLength.toLocaleString('en-US')],
        ['Masking', settings.masking],
        [
          'phi',
          `${settings.architecture}, ${shape.input} → ${shape.hidden} → ${shape.hidden} → ${shape.output}`,
        ],
        ['Batch', `${settings.batch * settings.accumulation} captions`],
        [
          'Learning rate',
          `${settings.learningRate}, ${settings.schedule}, ${settings.warmup} steps of warm-up`,
        ],
        ['Seed', `${settings.seed}`],
      ],
      metrics: readMetrics(join(folder, runFiles.metrics)),
      state: {
        status,
        step: state.step,
        steps: settings.steps,
        seconds: state.seconds,
        captions: state.step * settings.batch * settings.accumulation,
      },
    });
  }
}

/** Embeddings are kept if all of them fit. A finished run needs none. */
function openCache(
  folder: string,
  { settings, captions, phi }: RunConfig,
  step: number,
): EmbeddingCache | undefined {
  const count = captions.reduce((sum, source) => sum + source.captions, 0);
  if (step >= settings.steps) return undefined;
  if (count * phi.input * 4 > settings.embeddingCache * 2 ** 30) return undefined;
  return new EmbeddingCache(join(folder, runFiles.embeddings), count, phi.input, step);
}
