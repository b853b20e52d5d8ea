/** The list of devices that a training computes on: names as users write them. */

import { availableParallelism } from 'node:os';
import { LincirError, option, quoted } from '../../core/index.ts';
import type { SessionOptions } from '../../onnx/index.ts';
import type { TrainingSettings } from '../settings.ts';

/** A device of this machine, for a process of its own. */
export type LocalPlace = { readonly name: string } & Pick<SessionOptions, 'device' | 'deviceId' | 'threads'>;
/** Where another machine lends its devices. */
export type RemotePlace = { readonly name: string; readonly address: string };
export type Place = LocalPlace | RemotePlace;

const mostPlaces = 256;
const forms =
  '0 or cuda:0, webgpu, cpu, cpu:2 (so many processes), or an address such as http://10.0.0.7:5463';

/**
 * What a list such as `0,1`, `cpu:2` or `cuda:0,http://10.0.0.7:5463` names. Processes on the CPU divide its cores, unless
 * each of them is given `threads`.
 * @throws LincirError 'bad-argument' for a name that is none, and for devices of more than one kind: their last bits differ,
 * so nobody could repeat the run
 */
export function placesOf(list: readonly string[], threads?: number): readonly Place[] {
  const places = numbered(list.flatMap(placesNamed));
  if (places.length === 0 || places.length > mostPlaces) {
    throw refused(`1 to ${mostPlaces} devices`, places.length === 0 ? 'none' : `${places.length}`);
  }
  const addresses = places.flatMap((place) => (isLocal(place) ? [] : [place.address]));
  const twice = addresses.find((address, at) => addresses.indexOf(address) < at);
  if (twice !== undefined) throw refused('each address once', `${quoted(twice)} twice`);
  const local = places.filter(isLocal);
  const kinds = new Set(local.map(({ device }) => device));
  if (kinds.size > 1) throw refused('devices of one kind', [...kinds].join(' and '));
  const share = Math.max(1, Math.floor(availableParallelism() / local.length));
  const each = threads ?? (kinds.has('cpu') && local.length > 1 ? share : undefined);
  return places.map((place) => (isLocal(place) ? { ...place, threads: each } : place));
}

export function isLocal(place: Place): place is LocalPlace {
  return !('address' in place);
}

/** Where a training computes what it does not deal out: on its own device, or on the first of several that is here. */
export function ownPlace({
  device,
  devices,
  threads,
}: Pick<TrainingSettings, 'device' | 'devices' | 'threads'>) {
  if (!devices) return { device, threads };
  const own = placesOf(devices).find(isLocal);
  return { device: own?.device, deviceId: own?.deviceId, threads };
}

function placesNamed(name: string): Place[] {
  if (/^https?:/i.test(name)) return [{ name, address: addressIn(name) }];
  const [known, kind = 'cuda', count, bare] =
    /^(?:(cpu|cuda|webgpu)(?::(\d{1,4}))?|(\d{1,4}))$/.exec(name) ?? [];
  const number = count ?? bare;
  if (known === undefined || (kind === 'webgpu' && number !== undefined)) throw refused(forms, quoted(name));
  if (kind === 'webgpu') return [{ name, device: kind }];
  if (kind === 'cuda') {
    const deviceId = Number(number ?? 0);
    return [{ name: `cuda:${deviceId}`, device: kind, deviceId }];
  }
  if (number !== undefined && Number(number) === 0) throw refused('at least one process', quoted(name));
  return Array.from({ length: Number(number ?? 1) }, () => ({ name: 'cpu', device: 'cpu' as const }));
}

/** Counts processes on the CPU through the whole list. */
function numbered(places: readonly Place[]): Place[] {
  let count = 0;
  return places.map((place) => {
    if (!isLocal(place) || place.device !== 'cpu') return place;
    count += 1;
    return { ...place, name: `cpu, process ${count}` };
  });
}

/** The origin of an address that has nothing else. */
function addressIn(name: string): string {
  const url = URL.canParse(name) ? new URL(name) : undefined;
  if (url && url.href === `${url.origin}/`) return url.origin;
  throw refused('an address such as http://10.0.0.7:5463, without a path', quoted(name));
}

function refused(expected: string, found: string): LincirError {
  return new LincirError('bad-argument', {
    subject: option<TrainingSettings>('devices'),
    expected,
    found,
  });
}
