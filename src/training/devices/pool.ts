/** Computes a step's tower batches on several devices. Results are the same, to the bit, for any number of them. */

import type { Clip, TextConfig } from '../../clip/index.ts';
import { LincirError, option } from '../../core/index.ts';
import type { RunHooks, RunOptions } from '../open-run.ts';
import { positionsOf } from '../positions.ts';
import type { TrainingSettings } from '../settings.ts';
import { sizesOf, type TowerResult, type TowerRunner, type TowerTask } from '../tower-task.ts';
import type { Dealer, DeviceChange } from './dealer.ts';
import { mostResultBytes, packTask, readResult, resultSizes } from './messages.ts';
import { openDevices } from './open.ts';

/** Owns devices: dispose of it. */
export class DevicePool implements TowerRunner {
  readonly #config: TextConfig;
  readonly #dealer: Dealer;
  readonly #run: string;
  readonly #changes: DeviceChange[];
  readonly #signal: AbortSignal | undefined;

  /**
   * @param run the folder of the training, for the message when no device is left
   * @param changes of devices, which the dealer adds
   * @param signal gives up what is being computed
   */
  constructor(
    config: TextConfig,
    dealer: Dealer,
    run: string,
    changes: DeviceChange[] = [],
    signal?: AbortSignal,
  ) {
    this.#config = config;
    this.#dealer = dealer;
    this.#run = run;
    this.#changes = changes;
    this.#signal = signal;
  }

  /**
   * The devices that the settings of a training name, or none if they name none.
   * @throws LincirError if one cannot be opened, or would compute something else
   */
  static async open(
    { folder: model, fingerprint, textConfig }: Pick<Clip, 'folder' | 'fingerprint' | 'textConfig'>,
    settings: TrainingSettings,
    hooks: { readonly run: string } & Pick<RunHooks, 'apiKey' | 'signal' | 'onDeviceChange'>,
  ): Promise<DevicePool | undefined> {
    const { devices, threads, precision } = settings;
    if (!devices) return undefined;
    const positions = positionsOf(settings, textConfig);
    const changes: DeviceChange[] = [];
    const { run, apiKey, signal, onDeviceChange } = hooks;
    const onChange = (change: DeviceChange) => {
      changes.push(change);
      onDeviceChange?.(change);
    };
    const where = { devices, positions, threads, precision, apiKey, onChange };
    const what = { ...where, model, fingerprint, config: textConfig };
    return new DevicePool(textConfig, await openDevices(what), run, changes, signal);
  }

  /** What has happened to devices since the last time. */
  takeChanges(): DeviceChange[] {
    return this.#changes.splice(0);
  }

  /** @throws LincirError 'device' when no device is left, and the signal's reason when that aborts */
  async run(tasks: readonly TowerTask[]): Promise<readonly TowerResult[]> {
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(this.#signal?.reason);
    this.#signal?.addEventListener('abort', abort);
    try {
      this.#signal?.throwIfAborted();
      return await Promise.race([Promise.all(tasks.map((task) => this.#result(task))), aborted.promise]);
    } catch (error) {
      if (this.#signal?.aborted || !(error instanceof LincirError)) throw error;
      const todo = `what is done is saved: go on with ${option<RunOptions>('resume', this.#run)}`;
      throw new LincirError(error.code, { ...error.problem, todo });
    } finally {
      this.#signal?.removeEventListener('abort', abort);
    }
  }

  async dispose(): Promise<void> {
    await this.#dealer.close();
  }

  async #result(task: TowerTask): Promise<TowerResult> {
    const sizes = resultSizes(task, this.#config);
    const { batch, positions } = sizesOf(task);
    // Devices refuse what is not finite. The training finds it in the results, and says whose it is.
    if (!hasFinite(task)) {
      return Object.fromEntries(
        Object.entries(sizes).map(([name, size]) => [name, new Float32Array(size).fill(Number.NaN)]),
      );
    }
    return await this.#dealer.compute({
      task: packTask(task),
      weight: batch * positions,
      mostBytes: mostResultBytes(sizes),
      read: (answer) => readResult(answer, sizes),
    });
  }
}

function hasFinite({ feeds: { injected, wanted } }: TowerTask): boolean {
  const isGood = (values: Float32Array | BigInt64Array | undefined) =>
    !(values instanceof Float32Array) || values.every(Number.isFinite);
  return isGood(injected.data) && isGood(wanted?.data);
}
