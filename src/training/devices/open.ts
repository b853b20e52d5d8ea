/** Opens the devices that a training names, and checks that all of them would compute the same. */

import type { TextConfig } from '../../clip/index.ts';
import type { Precision, SessionOptions } from '../../onnx/index.ts';
import { type Candidate, Dealer, type DeviceChange, type Patience } from './dealer.ts';
import { type DeviceFacts, expectFacts, type TowerDevice } from './device.ts';
import { LocalDevice } from './local-device.ts';
import { isLocal, placesOf } from './names.ts';
import { RemoteDevice } from './remote-device.ts';
import { SameBits } from './same-bits.ts';

export interface DevicesOptions extends Pick<SessionOptions, 'threads' | 'precision'> {
  /** Such as `cuda:0`, `cpu:2` or `http://10.0.0.7:5463`. */
  readonly devices: readonly string[];
  /** The folder of the model, and its fingerprint. */
  readonly model: string;
  readonly fingerprint: string;
  readonly config: TextConfig;
  /** Token positions of one batch. */
  readonly positions: number;
  /** The key of other machines. */
  readonly apiKey?: string;
  readonly onChange?: (change: DeviceChange) => void;
  readonly patience?: Patience;
}

/** @throws LincirError if a device cannot be opened, or would compute something else */
export async function openDevices(options: DevicesOptions): Promise<Dealer> {
  const { devices, model, fingerprint, config, positions } = options;
  const { threads, precision, apiKey, onChange, patience } = options;
  const places = placesOf(devices, threads);
  const device = places.find(isLocal)?.device;
  const wanted = { fingerprint, positions, precision: precision ?? ('float32' satisfies Precision) };
  /** The kind that all must have: that of the first to say so, if all are elsewhere. */
  let kind: DeviceFacts['device'] | undefined = device;
  // Processes on one CPU compute the same.
  const sameBits = places.every((place) => isLocal(place) && place.device === 'cpu')
    ? undefined
    : new SameBits(config);
  const compare = async (name: string, opened: TowerDevice) => {
    const other = await sameBits?.otherThan(name, opened);
    if (other === undefined) return;
    const reason = `its last bits differ from those of ${other}, so phi is the same to rounding, not to the bit`;
    onChange?.({ device: name, state: 'differs', reason });
  };
  const candidates = places.map((place): Candidate => {
    const { name } = place;
    const open = async () => {
      const opened = isLocal(place)
        ? await LocalDevice.start({ ...place, model, positions, precision })
        : await RemoteDevice.open(place, apiKey);
      try {
        kind ??= opened.facts.device;
        expectFacts(name, opened.facts, { ...wanted, device: kind });
        void compare(name, opened).catch(() => {}); // what it cannot do is found in the run
        return opened;
      } catch (error) {
        await opened.close();
        throw error;
      }
    };
    return { name, open, isAwaited: !isLocal(place) };
  });
  return await Dealer.open(candidates, onChange, patience);
}
