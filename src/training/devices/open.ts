/** Opens the devices that a training names, and checks that all of them would compute the same. */

import type { Precision, SessionOptions } from '../../onnx/index.ts';
import { type Candidate, Dealer, type DeviceChange, type Patience } from './dealer.ts';
import { type DeviceFacts, expectFacts } from './device.ts';
import { LocalDevice } from './local-device.ts';
import { isLocal, placesOf } from './names.ts';
import { RemoteDevice } from './remote-device.ts';

export interface DevicesOptions extends Pick<SessionOptions, 'threads' | 'precision'> {
  /** Such as `cuda:0`, `cpu:2` or `http://10.0.0.7:5463`. */
  readonly devices: readonly string[];
  /** The folder of the model, and its fingerprint. */
  readonly model: string;
  readonly fingerprint: string;
  /** Token positions of one batch. */
  readonly positions: number;
  /** The key of other machines. */
  readonly apiKey?: string;
  readonly onChange?: (change: DeviceChange) => void;
  readonly patience?: Patience;
}

/** @throws LincirError if a device cannot be opened, or would compute something else */
export async function openDevices(options: DevicesOptions): Promise<Dealer> {
  const { devices, model, fingerprint, positions, threads, precision, apiKey, onChange, patience } = options;
  const places = placesOf(devices, threads);
  const device = places.find(isLocal)?.device;
  const wanted = { fingerprint, positions, precision: precision ?? ('float32' satisfies Precision) };
  /** The kind that all must have: that of the first to say so, if all are elsewhere. */
  let kind: DeviceFacts['device'] | undefined = device;
  const candidates = places.map((place): Candidate => {
    const { name } = place;
    const open = async () => {
      const opened = isLocal(place)
        ? await LocalDevice.start({ ...place, model, positions, precision })
        : await RemoteDevice.open(place, apiKey);
      try {
        kind ??= opened.facts.device;
        expectFacts(name, opened.facts, { ...wanted, device: kind });
        return opened;
      } catch (error) {
        await opened.close();
        throw error;
      }
    };
    return { name, open };
  });
  return await Dealer.open(candidates, onChange, patience);
}
