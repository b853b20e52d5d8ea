/** Finds published phis: a preset, or OWNER/NAME[/FILE] on the hub, and their files in the cache. */

import { join } from 'node:path';
import {
  type DownloadOptions,
  formatBytes,
  type LicensedDownloadOptions,
  LincirError,
  option,
  quoted,
} from '../core/index.ts';
import { statOf } from '../files/index.ts';
import { cachedCommit, namesIn, repositoryIn, sizeOf } from './cache.ts';
import { modelPresets, type PhiPreset, phiPresets } from './choices.ts';
import { downloadFiles } from './download-files.ts';
import { readHubEnvironment } from './environment.ts';
import type { Listing } from './listing.ts';
import { chosenRevision, isHubId } from './names.ts';

/** A phi's file on this machine. */
interface ResolvedPhi {
  readonly file: string;
  readonly id: string;
  /** The commit. */
  readonly revision: string;
  /** The id of its model, if that is known. */
  readonly model: string | undefined;
}

/** Endings of a phi's file, to find the only one of a repository. */
const ending = /\.(safetensors|pt|pth|bin)$/;

interface PhiPlace {
  readonly id: string;
  readonly file: string | undefined;
  readonly revision: string;
  readonly preset: PhiPreset | undefined;
}

/** The first preset for the model `id` that can be downloaded by its name. */
export function phiPresetFor(id: string | undefined): PhiPreset | undefined {
  return phiPresets.find((preset) => preset.id !== undefined && modelOfPhi(preset) === id);
}

/** Whether a preset's file is in the cache. */
export async function isPhiCached(preset: PhiPreset, options: DownloadOptions = {}): Promise<boolean> {
  if (preset.id === undefined) return false;
  const place = { id: preset.id, file: preset.file, revision: 'main', preset };
  return (await cachedPhi(place, readHubEnvironment(options.environment).cacheFolder)) !== undefined;
}

/**
 * The file of a phi with a name on the hub: a preset, or OWNER/NAME[/FILE][@REVISION]. A file in the cache is used without
 * any request, as with models. Otherwise it is downloaded.
 * @returns undefined for any other name, or if its first part is a folder here: then it is a path
 * @throws LincirError 'not-found', 'bad-argument', 'network', 'io', and the signal's reason
 */
export async function resolvePhi(
  name: string,
  options: LicensedDownloadOptions = {},
): Promise<ResolvedPhi | undefined> {
  const place = await placeOf(name);
  if (!place) return undefined;
  const { cacheFolder } = readHubEnvironment(options.environment);
  return (await cachedPhi(place, cacheFolder)) ?? (await download(place, options));
}

/** The same, but asks the hub for a newer version. Undefined for OWNER/NAME without a file, which can only be a model. */
export async function pullPhi(
  name: string,
  options: LicensedDownloadOptions = {},
): Promise<ResolvedPhi | undefined> {
  const place = await placeOf(name);
  return place?.file === undefined ? undefined : await download(place, options);
}

async function placeOf(name: string): Promise<PhiPlace | undefined> {
  const [, path = '', suffix] = /^([^@]*)(?:@(.*))?$/s.exec(name) ?? [];
  const preset = phiPresets.find((known) => known.name === path);
  if (preset) {
    const { id, file, address, description, licence } = preset;
    if (id !== undefined) return { id, file, revision: chosenRevision(suffix, undefined), preset };
    throw new LincirError('not-found', {
      subject: `phi ${name}`,
      expected: 'one on the hub',
      found: `${description}, only at ${address} (${licence})`,
      todo: `download it there and give its path: ${option<{ readonly phi: string }>('phi', file)}`,
    });
  }
  const [owner = '', repository, ...rest] = path.split('/');
  const id = `${owner}/${repository}`;
  if (repository === undefined || !isHubId(id)) return undefined;
  if (rest.some((part) => !/^\w[\w.+-]*$/.test(part))) return undefined;
  if ((await statOf(owner))?.isDirectory()) return undefined;
  return {
    id,
    file: rest.length > 0 ? rest.join('/') : undefined,
    revision: chosenRevision(suffix, undefined),
    preset: phiPresets.find((known) => known.id === id && known.file === rest.join('/')),
  };
}

async function cachedPhi(place: PhiPlace, cacheFolder: string): Promise<ResolvedPhi | undefined> {
  const repository = repositoryIn(cacheFolder, place.id);
  const commit = await cachedCommit(repository, place.revision);
  if (commit === undefined) return undefined;
  const folder = repository.snapshot(commit);
  const names = place.file === undefined ? (await namesIn(folder)).filter(isPhiName) : [place.file];
  const file = join(folder, names[0] ?? '');
  if (names.length !== 1 || (await sizeOf(file)) === undefined) return undefined;
  return { file, id: place.id, revision: commit, model: modelOfPhi(place.preset) };
}

async function download(place: PhiPlace, options: LicensedDownloadOptions): Promise<ResolvedPhi> {
  const { id, revision, preset } = place;
  const environment = readHubEnvironment(options.environment);
  const wanted = {
    id,
    revision,
    missing: [place.file ?? 'a phi'],
    choose: (listing: Listing) => {
      const file = listing.file(place.file ?? onlyPhi(listing, id));
      const licence = preset ? `its licence: ${preset.licence}, ` : 'see its licence at ';
      const address = preset?.address ?? `${environment.endpoint}/${id}`;
      options.onLicence?.(`${file.name}, ${formatBytes(file.size)}; ${licence}${address}`);
      return [file];
    },
  };
  const { commit, files } = await downloadFiles(wanted, environment, options);
  const file = join(repositoryIn(environment.cacheFolder, id).snapshot(commit), files[0]!.name);
  return { file, id, revision: commit, model: modelOfPhi(preset) };
}

function onlyPhi(listing: Listing, id: string): string {
  const names = listing.names.filter(isPhiName);
  if (names.length === 1) return names[0]!;
  throw new LincirError(names.length === 0 ? 'not-found' : 'bad-argument', {
    subject: id,
    expected: 'one file of a phi: .safetensors, .pt, .pth or .bin',
    found: names.length === 0 ? 'none' : quoted(names.join(', ')),
    todo: `say which: ${id}/FILE`,
  });
}

function isPhiName(name: string): boolean {
  return ending.test(name) && !name.includes('/');
}

/** The id of the model that a preset's phi was trained for. */
export function modelOfPhi(preset: PhiPreset | undefined): string | undefined {
  return modelPresets.find(({ name }) => name === preset?.model)?.id;
}
