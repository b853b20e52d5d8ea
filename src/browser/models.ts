/** Models and phis by name, from the hub into a page: `#models` names this file in browsers. */

import {
  type DownloadOptions,
  type LicensedDownloadOptions,
  LincirError,
  type ModelFiles,
  type RandomAccess,
  readJson,
} from '../core/index.ts';
import {
  chosenRevision,
  expectModelOfPhi,
  filesOf,
  halfWeights,
  isHubId,
  type Listing,
  licenceNotice,
  modelOfPhi,
  onlyPhi,
  type PhiPlace,
  phiPlace,
  presetId,
  type RemoteFile,
  smallFiles,
  splitName,
  unknownModel,
} from '../hub/portable.ts';
import { connect, Download, hubSettings, listed, storage } from './hub.ts';
import { expectRoom } from './room.ts';
import { verified } from './verified.ts';

export interface OpenModelOptions extends DownloadOptions {
  /** Skip the weights and whatever else a tokenizer does not need. */
  readonly only?: 'tokenizer';
}

export interface OpenPhiOptions extends LicensedDownloadOptions {
  /** The id of the model that phi must be for. */
  readonly model?: string;
}

/** What is to be fetched, and from where. */
export interface Wanted {
  readonly id: string;
  readonly listing: Listing;
  /** The weights come last. */
  readonly files: readonly RemoteFile[];
  readonly download: Download;
}

/**
 * A model's files on the hub. Only what is read of them is fetched, and kept, so that a later visit fetches no more. A revision
 * that an earlier visit has asked for means the same commit, without any request.
 * @param name a preset (`base`, `large`, …) or `OWNER/NAME`, each with or without `@REVISION`
 * @throws LincirError 'not-found', 'bad-argument', 'network', 'io' where there is no room, and the signal's reason. Reading
 *   the files throws these, too
 */
export async function openModel(
  name: string,
  options: OpenModelOptions = {},
): Promise<{ readonly files: ModelFiles; readonly id: string | undefined }> {
  const wanted = await wantedModel(name, options);
  const { id, listing, files } = wanted;
  await expectRoomFor(wanted);
  const byName = new Map(files.map((file) => [file.name.replace(halfWeights, 'model.safetensors'), file]));
  const sources = new Map<string, Promise<RandomAccess>>();
  const open = async (file: RemoteFile) => verified(await wanted.download.source(file), file);
  return {
    id,
    files: {
      name: `${id}@${listing.commit.slice(0, 7)}`,
      async read(wantedName) {
        const file = byName.get(wantedName);
        if (file && !sources.has(wantedName)) sources.set(wantedName, open(file));
        return await sources.get(wantedName);
      },
      list: async () => [...byName.keys()],
    },
  };
}

/**
 * A phi's file on the hub.
 * @param name a preset such as `lincir-large`, or `OWNER/NAME[/FILE]`, each with or without `@REVISION`
 * @throws LincirError as `openModel` does, and 'bad-argument' for a preset of another model
 */
export async function openPhi(name: string, options: OpenPhiOptions = {}): Promise<RandomAccess> {
  const place = placeOf(name);
  expectModelOfPhi(name, modelOfPhi(place.preset), options.model);
  const wanted = await wantedPhi(place, options);
  const [file] = wanted.files;
  options.onLicence?.(licenceNotice(file!, place, hubSettings(options).endpoint));
  await expectRoomFor(wanted);
  return verified(await wanted.download.source(file!), file!);
}

/** The files of a model, or of its tokenizer. Fetches what tells which these are. */
export async function wantedModel(name: string, options: OpenModelOptions = {}): Promise<Wanted> {
  const { name: own, suffix } = splitName(name);
  const id = presetId(own) ?? own;
  if (!isHubId(id)) throw unknownModel(name, 'or, where files are given themselves, any others; else ');
  const connection = connect(options);
  const listing = await listed(id, chosenRevision(suffix, undefined), connection);
  const download = new Download(id, connection, options.onProgress);
  const read = async (file: RemoteFile) => await readJson(verified(await download.source(file), file));
  const files =
    options.only === 'tokenizer'
      ? smallFiles.filter(listing.has).map(listing.file)
      : await filesOf(id, listing, read, hubSettings(options).half);
  await Promise.all(files.map((file) => download.source(file))); // so that its progress knows all
  return { id, listing, files, download };
}

export async function wantedPhi(place: PhiPlace, options: DownloadOptions): Promise<Wanted> {
  const connection = connect(options);
  const { id, revision } = place;
  const listing = await listed(id, revision, connection);
  const download = new Download(id, connection, options.onProgress);
  return { id, listing, files: [listing.file(place.file ?? onlyPhi(listing, id))], download };
}

/** Where a phi is on the hub. Throws LincirError 'not-found' and 'bad-argument'. */
export function placeOf(name: string): PhiPlace {
  const place = phiPlace(name, (file) => `download it there and give the file ${file} itself`);
  if (place) return place;
  throw new LincirError('bad-argument', {
    subject: `phi ${name}`,
    expected: 'a published phi such as lincir-large, OWNER/NAME[/FILE] on the hub, or the file itself',
    found: 'none of these',
    todo: 'check the name',
  });
}

async function expectRoomFor({ id, files, download }: Wanted): Promise<void> {
  if (!(await storage())) return; // memory has its own limit
  const sources = await Promise.all(files.map((file) => download.source(file)));
  await expectRoom(
    sources.reduce((sum, { size, here }) => sum + size - here, 0),
    id,
  );
}
