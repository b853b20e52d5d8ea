/** The interface of an engine that runs models. `#runtime` names this platform's engine. */

import type { Float32Tensor } from '../core/index.ts';
import type { Device, FloatPrecision } from './choices.ts';

export interface Runtime {
  /** The platform's name in messages. */
  readonly platform: string;
  /** Requirements of a device. */
  readonly needs: Readonly<Partial<Record<Device, string>>>;
  /** Bytes of weights in memory beyond which no session can be, if there is such a limit. */
  readonly mostWeights?: number;
  /** The names of the devices that are offered here. */
  devices(): readonly string[];
  /** Prepares a model. Throws whatever the engine throws. */
  open(model: RuntimeModel, options: SessionOptions & { readonly device: Device }): Promise<RuntimeSession>;
}

/** A model in ONNX's format. Its weights are external data: in files below `folder`, or in memory by their names. */
interface RuntimeModel {
  readonly bytes: Uint8Array;
  readonly folder: string | undefined;
  readonly weights: ReadonlyMap<string, Uint8Array>;
}

export interface SessionOptions {
  /** Where to compute. Default: 'cpu'. */
  readonly device?: Device;
  /** Which of several CUDA devices, from 0. Default: 0. */
  readonly deviceId?: number;
  /**
   * Number format of matrix products. Inputs, outputs, sums and statistics are float32 all the same. `devicePrecisions` has
   * what each device offers. Default: 'float32'.
   */
  readonly precision?: FloatPrecision;
  /** Threads of one operator on the CPU. Default: as many as there are physical cores. */
  readonly threads?: number;
  /**
   * Rearrange weights for speed when the session is made. Without it, making the session takes a third of the time, but a
   * run takes a tenth to a half longer: for a single run. Default: true.
   */
  readonly prepack?: boolean;
  /** Write ONNX Runtime's profile to a file with this prefix. */
  readonly profile?: string;
}

export interface RuntimeSession {
  /** May block its thread until done. Throws whatever the engine throws. */
  run(
    feeds: Readonly<Record<string, RunTensor>>,
    /** Where to write outputs, by name. Others get new arrays. */
    into: Readonly<Record<string, Float32Tensor>>,
  ): Promise<Record<string, Float32Tensor>>;
  dispose(): Promise<void>;
}

/** Inputs of a run: row-major values. */
export interface RunTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}
