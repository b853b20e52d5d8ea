/** What runs models: the little that a session needs of an engine. `#runtime` names the one of this platform. */

import type { Float32Tensor } from '../core/index.ts';
import type { Device } from './choices.ts';

export interface Runtime {
  /** What messages call the platform. */
  readonly platform: string;
  /** What a device needs in order to work. */
  readonly needs: Readonly<Partial<Record<Device, string>>>;
  /** The names of the devices that are offered here. */
  devices(): readonly string[];
  /** Prepares a model. Throws whatever the engine throws. */
  open(model: RuntimeModel, options: RuntimeOptions): Promise<RuntimeSession>;
}

/** A model in ONNX's format. Its weights are external data: in files below `folder`, or in memory by their names. */
export interface RuntimeModel {
  readonly bytes: Uint8Array;
  readonly folder: string | undefined;
  readonly weights: ReadonlyMap<string, Uint8Array>;
}

export interface RuntimeOptions {
  readonly device: Device;
  readonly threads?: number | undefined;
  readonly prepack: boolean;
  readonly profile?: string | undefined;
}

export interface RuntimeSession {
  /** May block its thread until done. Throws whatever the engine throws. */
  run(feeds: Readonly<Record<string, RunTensor>>): Promise<Record<string, Float32Tensor>>;
  dispose(): Promise<void>;
}

/** What goes into a run: row-major values. */
export interface RunTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}
