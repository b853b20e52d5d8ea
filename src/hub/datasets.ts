/** Data sets on the hub: finds a split's Parquet files, and reads their bytes by ranges, without a download. */

import { LincirError, listed, quoted, type RandomAccess } from '../core/index.ts';
import { Interruption } from '../files/index.ts';
import type { RemoteFile } from './download.ts';
import { readHubEnvironment, readToken } from './environment.ts';
import { chosenRevision, isHubId } from './ids.ts';
import { type Listing, listFiles } from './listing.ts';
import type { ResolveOptions } from './models.ts';
import { type Connection, defaultPatience, get, persistently } from './request.ts';

/** A Parquet file of a data set. */
interface DatasetFile {
  /** Its path in the data set: `default/train/0000.parquet`. `default/partial-train/` has only a part of the split. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** SHA-256 of its content, 64 hexadecimal digits; undefined for a small file, for which the hub has another hash. */
  readonly sha256: string | undefined;
  /**
   * Reads at most 256 MiB at once, each as one request. If its connection breaks, it continues there.
   * Throws `network`, `not-found`, `bad-file` for bytes beyond the size, and the signal's reason.
   */
  readonly access: RandomAccess;
}

interface Dataset {
  readonly id: string;
  /** The revision's commit at the time of the request. The files are this commit's. */
  readonly commit: string;
  /** At least one, by name. */
  readonly files: readonly DatasetFile[];
}

interface DatasetOptions extends Pick<ResolveOptions, 'environment' | 'patience'> {
  /** Take the Parquet files of this branch, tag or commit, not the hub's conversion. */
  readonly revision?: string;
  /** Default: `train` */
  readonly split?: string;
  /** Aborts this call and all reads of the files, which reject with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** The branch in which the hub keeps every public data set as Parquet: https://huggingface.co/docs/dataset-viewer/parquet */
const conversion = 'refs/convert/parquet';

/** Words that name a file's split: https://huggingface.co/docs/hub/datasets-file-names-and-splits */
const someSplit = wordPattern('train|training|val|valid|validation|dev|test|testing|eval|evaluation');

const largestRead = 256 * 2 ** 20;

/**
 * Finds the Parquet files of one split of the data set `id`, OWNER/NAME. They are those of the hub's own conversion, in the
 * configuration `default` or else the only one. If there is no conversion, or a revision is given, they are the Parquet
 * files whose path has the split as a word, or all if no path names any split.
 * Throws `not-found` for what the hub or the data set does not have, `bad-argument` for impossible names or several
 * configurations, `network`, and the signal's reason.
 */
export async function openDataset(id: string, options: DatasetOptions = {}): Promise<Dataset> {
  const { split = 'train', revision, patience, signal } = options;
  expect(isHubId(id), 'data set', 'OWNER/NAME on the hub', id);
  expect(/^\w+(\.\w+)*$/.test(split), 'split', 'letters, digits, _ and single dots', split);
  const ownRevision = chosenRevision(undefined, revision);
  const environment = readHubEnvironment(options.environment);
  const { endpoint } = environment;
  if (environment.offline) {
    throw new LincirError('not-found', {
      subject: `hf://datasets/${id}`,
      expected: `to read it from ${endpoint}`,
      found: 'that HF_HUB_OFFLINE forbids it',
      todo: 'unset HF_HUB_OFFLINE, or give its files on this machine',
    });
  }
  const token = await readToken(environment);
  const connection: Connection = { ...defaultPatience, ...patience, endpoint, token, signal };

  const converted = revision === undefined ? await listConversion(connection, id) : undefined;
  const listing = converted ?? (await listFiles(connection, 'datasets', id, ownRevision));
  const names = converted ? convertedFiles(converted, id, split) : ownFiles(listing, id, split);
  const files = names.sort().map((name) => datasetFile(listing.file(name), connection));
  return { id, commit: listing.commit, files };
}

/** The hub's conversion; undefined if there is none, or none yet. */
async function listConversion(connection: Connection, id: string): Promise<Listing | undefined> {
  try {
    const listing = await listFiles(connection, 'datasets', id, conversion);
    return listing.names.some((name) => placeOf(name) !== undefined) ? listing : undefined;
  } catch (error) {
    if (error instanceof LincirError && error.code === 'not-found') return undefined;
    throw error;
  }
}

/** Parses a path in the conversion: `CONFIG/SPLIT/NNNN.parquet`, also `partial-SPLIT`, and `SPLIT-part1` if it is huge. */
function placeOf(name: string) {
  const [, config, partial, split] =
    /^([^/]+)\/(partial-)?([^/]+?)(?:-part\d)?\/\d{4}\.parquet$/.exec(name) ?? [];
  return config && split ? { name, config, split, isPartial: partial !== undefined } : undefined;
}

function convertedFiles(listing: Listing, id: string, split: string): string[] {
  const places = listing.names.map(placeOf).filter((place) => place !== undefined);
  const configs = [...new Set(places.map((place) => place.config))];
  const config = configs.length === 1 ? configs[0] : configs.find((name) => name === 'default');
  if (config === undefined) {
    throw new LincirError('bad-argument', {
      subject: `hf://datasets/${id}`,
      expected: 'one configuration, or one with the name "default"',
      found: listed(configs, 'nothing', 10),
      todo: 'download the files that you want and give them as local files',
    });
  }
  const ofConfig = places.filter((place) => place.config === config);
  const found = ofConfig.filter((place) => place.split === split);
  if (found.length === 0) {
    throw noSuchSplit(id, split, listed([...new Set(ofConfig.map((place) => place.split))], 'nothing', 10));
  }
  const whole = found.filter((place) => !place.isPartial);
  return (whole.length > 0 ? whole : found).map((place) => place.name);
}

function ownFiles(listing: Listing, id: string, split: string): string[] {
  const files = listing.names.filter((name) => /\.parquet$/i.test(name));
  if (files.length === 0) {
    throw new LincirError('not-found', {
      subject: `hf://datasets/${id}`,
      expected: `Parquet files, or the hub's conversion to Parquet`,
      found: listed(listing.names, 'nothing', 10),
      todo: 'download what you need of it and give that as local files',
    });
  }
  const word = split.replaceAll('.', '\\.');
  // If there are both, `train` must not also mean `train_extra`.
  for (const pattern of [new RegExp(`(?<!\\w)${word}(?!\\w)`), wordPattern(word)]) {
    const found = files.filter((name) => pattern.test(name));
    if (found.length > 0) return found;
  }
  if (files.some((name) => someSplit.test(name))) throw noSuchSplit(id, split, listed(files, 'nothing', 10));
  return files;
}

function noSuchSplit(id: string, split: string, found: string): LincirError {
  return new LincirError('not-found', {
    subject: `hf://datasets/${id}`,
    expected: `the split ${quoted(split)}`,
    found,
    todo: 'choose a split that it has',
  });
}

/** A word in the hub's sense: not part of a longer run of letters. */
function wordPattern(word: string): RegExp {
  return new RegExp(`(?<![a-z])(?:${word})(?![a-z])`, 'i');
}

function datasetFile(file: RemoteFile, connection: Connection): DatasetFile {
  const { name, size, etag, subject } = file;
  const read = (offset: number, length: number) => readRange(file, connection, offset, length);
  return { name, size, sha256: etag.length === 64 ? etag : undefined, access: { name: subject, size, read } };
}

async function readRange(
  file: RemoteFile,
  connection: Connection,
  offset: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { subject, path, size } = file;
  const end = offset + length;
  if (!(offset >= 0 && length >= 0 && length <= largestRead && end <= size)) {
    throw new LincirError('bad-file', {
      subject,
      expected: `parts of at most ${largestRead} bytes within its ${size}`,
      found: `one of ${length} bytes at ${offset}`,
      todo: 'the file is broken, or has far larger parts than usual: convert it with smaller ones',
    });
  }
  const bytes = new Uint8Array(length);
  let received = 0;
  let furthest = 0;
  await persistently(connection, subject, async (advanced) => {
    if (received === length) return;
    const first = offset + received;
    const range = `bytes=${first}-${end - 1}`;
    await get(connection, subject, path, { range }, async ({ status, headers }, body) => {
      const refuse = (found: string) =>
        new LincirError('network', {
          subject,
          expected: `bytes ${first} to ${end - 1} of ${size}`,
          found,
          todo: 'run this again, and suspect a proxy or mirror if it happens again',
        });
      const told = headers.get(status === 206 ? 'content-range' : 'content-length');
      if (status === 200 && length === size && (told === null || Number(told) === size)) {
        received = 0; // The server sent the whole file, not the range.
      } else if (status !== 206 || told !== `bytes ${first}-${end - 1}/${size}`) {
        throw refuse(`HTTP status ${status} with ${quoted(told)} bytes`);
      }
      for await (const chunk of body) {
        if (received + chunk.length > length) throw refuse('more bytes');
        bytes.set(chunk, received);
        received += chunk.length;
        if (received > furthest) advanced();
        furthest = Math.max(furthest, received);
      }
      if (received < length) throw new Interruption(`an end after ${received} of ${length} bytes`);
    });
  });
  return bytes;
}

function expect(isSo: boolean, subject: string, expected: string, found: string): void {
  if (!isSo) throw new LincirError('bad-argument', { subject, expected, found: quoted(found) });
}
