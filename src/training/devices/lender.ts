/** Lends this machine's devices to a training elsewhere: takes its batches as bytes that nobody has checked yet. */

import { loadClip } from '../../clip/index.ts';
import { type ErrorCode, LincirError } from '../../core/index.ts';
import { expectPrecision, floatPrecisions, type SessionOptions } from '../../onnx/index.ts';
import { type Candidate, Dealer, type DeviceChange } from './dealer.ts';
import type { DeviceFacts } from './device.ts';
import { LocalDevice } from './local-device.ts';
import {
  mostResultBytes,
  mostTaskBytes,
  protocol,
  readResult,
  readTask,
  resultSizes,
  type TaskLimits,
} from './messages.ts';
import { isLocal, placesOf } from './names.ts';

export interface LenderOptions extends Pick<SessionOptions, 'threads' | 'precision'> {
  /** The folder of the model. */
  readonly model: string;
  /** Such as `0,1` or `cpu:2`. */
  readonly devices: readonly string[];
  /** Token positions of one batch, at most. */
  readonly positions: number;
  readonly onChange?: (change: DeviceChange) => void;
}

/** Owns devices: close it. */
export class Lender {
  readonly #dealer: Dealer;
  readonly #limits: TaskLimits;

  private constructor(dealer: Dealer, limits: TaskLimits) {
    this.#dealer = dealer;
    this.#limits = limits;
  }

  /** @throws LincirError if a device cannot be opened */
  static async open({
    model,
    devices,
    positions,
    threads,
    precision,
    onChange,
  }: LenderOptions): Promise<Lender> {
    const places = placesOf(devices, threads);
    for (const place of places.filter(isLocal)) expectPrecision(precision, place.device, floatPrecisions);
    const candidates = places.filter(isLocal).map((place): Candidate => {
      return { name: place.name, open: () => LocalDevice.start({ ...place, model, positions, precision }) };
    });
    if (candidates.length < places.length) {
      const [expected, found] = ['devices of this machine, such as 0,1 or cpu:2', 'addresses of others'];
      throw new LincirError('bad-argument', { subject: 'devices to lend', expected, found });
    }
    const { textConfig: config } = await loadClip(model);
    return new Lender(await Dealer.open(candidates, onChange), { config, positions });
  }

  /** Bytes of a task at most: whoever reads it takes no memory for more. */
  get mostTaskBytes(): number {
    return mostTaskBytes(this.#limits);
  }

  /** @throws LincirError 'busy' while no device is left */
  get facts(): DeviceFacts {
    const { devices } = this.#dealer;
    const [first] = devices;
    if (first) return { ...first.facts, protocol, processes: devices.length };
    throw new LincirError('busy', {
      subject: 'devices',
      expected: 'at least one that computes',
      found: 'that all are lost',
      retryAfter: 60,
    });
  }

  /** @throws LincirError 'bad-argument' for what is no task, and 'busy' when no device is left */
  async compute(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    try {
      return await this.#computed(bytes);
    } catch (error) {
      const code = error instanceof LincirError ? codes[error.code] : undefined;
      throw code ? new LincirError(code, { ...(error as LincirError).problem, retryAfter: 60 }) : error;
    }
  }

  async close(): Promise<void> {
    await this.#dealer.close();
  }

  async #computed(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const task = await readTask(bytes, this.#limits);
    const sizes = resultSizes(task, this.#limits.config);
    const read = async (answer: Uint8Array<ArrayBuffer>) => {
      await readResult(answer, sizes);
      return answer;
    };
    const weight = task.feeds.ids.data.length;
    return await this.#dealer.compute({ task: bytes, weight, mostBytes: mostResultBytes(sizes), read });
  }
}

/** What errors of devices and bytes are to whoever sent them. */
const codes: Partial<Record<ErrorCode, ErrorCode>> = { 'bad-file': 'bad-argument', device: 'busy' };
