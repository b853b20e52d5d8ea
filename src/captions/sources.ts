/** Finds the files of captions that a user names, with their weights. */

import { realpath, stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { glob } from 'tinyglobby';
import { chunks, LincirError, quoted } from '../core/index.ts';
import { asLincirError, statOf } from '../files/index.ts';
import { datasetPresets, openDataset, type Variables } from '../hub/index.ts';
import { formatOf } from './formats.ts';
import type { MadeCaptions } from './made.ts';
import { parquetRows } from './parquet.ts';
import { emptyFile, type OnLeftOut, type Row, usableCaptions } from './rows.ts';

/** One file of captions. */
export interface CaptionSource {
  /** Its name in messages: its path, or `hf://datasets/OWNER/NAME@COMMIT/default/train/0000.parquet`. */
  readonly name: string;
  /** What the user named, without the weight. */
  readonly origin: string;
  /** How often each of its captions comes in an epoch. */
  readonly weight: number;
  /** The file's size. */
  readonly bytes: number;
  /** Differs if the captions may differ: the time of the file's last change, and the columns to look for. */
  readonly version: string;
  /**
   * All captions in order, unchanged, some hundreds or thousands at a time. Memory is bounded, whatever the file's size: by
   * lines of at most 1 MiB, or as in `parquetRows`.
   * Throws 'bad-file', 'not-found', 'io', 'network' and the signal's reason.
   */
  captions(options: ReadCaptionsOptions): AsyncGenerator<readonly string[], void, void>;
}

interface ReadCaptionsOptions {
  /** Called for each row whose caption is null, empty, white space, over 65,536 characters, or not Unicode. */
  readonly onLeftOut: OnLeftOut;
  readonly signal?: AbortSignal;
}

export interface SourceOptions {
  /** Finds captions that are not in files; undefined for an unknown name. */
  readonly made?: (origin: string) => Promise<MadeCaptions | undefined>;
  /** The column to read: the first of these that a file has. Default: `text`. Text files have no columns. */
  readonly columns?: readonly string[];
  /** Aborts this call, and later reads from the hub. */
  readonly signal?: AbortSignal;
  /** Default: `process.env` */
  readonly environment?: Variables;
}

/** A file, before its weight is known. */
interface Found extends Pick<CaptionSource, 'name' | 'bytes' | 'version'> {
  /** Identifies a file, whatever name it has. */
  readonly identity: string;
  readonly unit: 'line' | 'row';
  readonly rows: () => AsyncIterable<readonly Row[]>;
}

const defaultColumns = ['text'];
const largestWeight = 1000;
const rowsPerBatch = 1024;

/**
 * The files that `specs` name, in their order; those of one spec are sorted by name. A spec is, by the first rule that fits: a
 * file's path; `SPEC:WEIGHT`, where the number may have a fraction; `lincir`, the data sets of the method's authors;
 * `hf://datasets/OWNER/NAME[@REVISION]`, the Parquet files of a data set's split `train`; or a glob pattern.
 * @throws LincirError 'not-found' for a spec that names nothing, 'bad-argument' for a weight that is not above 0 and at
 *   most 1,000, an unknown format, or a file that two specs name, 'bad-file' for an empty file, and what `openDataset`
 *   throws.
 */
export async function findCaptionSources(
  specs: readonly string[],
  options: SourceOptions = {},
): Promise<CaptionSource[]> {
  const sources = new Map<string, CaptionSource>();
  for (const spec of specs) {
    const { origin, weight } = await weighed(spec);
    for (const { name, bytes, version, identity, unit, rows } of await filesOf(origin, options)) {
      const same = sources.get(identity);
      if (same !== undefined) throw namedTwice(name, same, origin);
      const captions: CaptionSource['captions'] = ({ onLeftOut, signal }) =>
        usableCaptions(rows(), { name, unit, onLeftOut, signal });
      sources.set(identity, { name, origin, weight, bytes, version, captions });
    }
  }
  return [...sources.values()];
}

async function weighed(spec: string): Promise<{ origin: string; weight: number }> {
  const [suffix, number] = /:(\d+(?:\.\d+)?)$/.exec(spec) ?? [];
  if (suffix === undefined || (await statOf(spec))?.isFile()) return { origin: spec, weight: 1 };
  const weight = Number(number);
  if (weight > 0 && weight <= largestWeight) return { origin: spec.slice(0, -suffix.length), weight };
  throw new LincirError('bad-argument', {
    subject: spec,
    expected: `a weight above 0 and at most ${largestWeight}`,
    found: number!,
  });
}

async function filesOf(origin: string, options: SourceOptions): Promise<readonly Found[]> {
  const { columns = defaultColumns, made } = options;
  const known = await made?.(origin);
  if (known !== undefined) return [foundMade(known)];
  if ((await statOf(origin))?.isFile()) return [await fileOnDisk(origin, columns)];
  const preset = datasetPresets.find(({ name }) => name === origin);
  if (preset) {
    const found: Found[] = [];
    for (const id of preset.ids) found.push(...(await filesOnHub({ id }, defaultColumns, options)));
    return found;
  }
  const [, id, revision] = /^hf:\/\/datasets\/([^@]+)(?:@(.+))?$/.exec(origin) ?? [];
  if (id !== undefined) return await filesOnHub({ id, revision }, columns, options);
  if (!/^\w+:\/\//.test(origin)) return await filesOfPattern(origin, columns);
  throw new LincirError('bad-argument', {
    subject: origin,
    expected: 'a file, a pattern, or hf://datasets/OWNER/NAME[@REVISION]',
    found: 'another address',
    todo: 'download it and name the file',
  });
}

function foundMade({ name, version, bytes, captions }: MadeCaptions): Found {
  async function* rows() {
    let at = 0;
    for await (const some of chunks(captions(), rowsPerBatch)) {
      yield some.map((caption): Row => {
        at += 1;
        return { caption, at };
      });
    }
  }
  return { name, bytes, version, identity: name, unit: 'row', rows };
}

async function filesOnHub(
  { id, revision }: { id: string; revision?: string },
  columns: readonly string[],
  { signal, environment }: SourceOptions,
): Promise<readonly Found[]> {
  const { commit, files } = await openDataset(id, { split: 'train', revision, signal, environment });
  return files.map(({ name: path, size, access }) => {
    const name = `hf://datasets/${id}@${commit}/${path}`;
    if (size === 0) throw emptyFile(name);
    const rows = () => parquetRows({ ...access, name, size }, columns);
    return { name, bytes: size, version: columns.join(), identity: name, unit: 'row', rows };
  });
}

async function filesOfPattern(pattern: string, columns: readonly string[]): Promise<readonly Found[]> {
  const path = process.platform === 'win32' ? pattern.replaceAll('\\', '/') : pattern;
  const names = await glob(path, { absolute: isAbsolute(path), expandDirectories: false });
  if (names.length === 0) {
    const isFolder = (await statOf(pattern))?.isDirectory() ?? false;
    throw new LincirError('not-found', {
      subject: pattern,
      expected: `a file of captions, a pattern that files match, hf://datasets/OWNER/NAME, or ${datasetPresets.map(({ name }) => name).join(', ')}`,
      found: isFolder ? 'a folder' : 'no such file',
      todo: isFolder ? `name its files, as in "${pattern.replace(/\/$/, '')}/*.txt"` : 'check the path',
    });
  }
  return await Promise.all(names.sort().map((name) => fileOnDisk(name, columns)));
}

async function fileOnDisk(path: string, columns: readonly string[]): Promise<Found> {
  const { unit, rows } = formatOf(path);
  const [{ size, mtimeMs }, identity] = await Promise.all([stat(path), realpath(path)]).catch(
    (error: unknown) => {
      throw asLincirError(error, path, 'read');
    },
  );
  if (size === 0) throw emptyFile(path);
  const version = `${mtimeMs} ${columns.join()}`;
  return { name: path, bytes: size, version, identity, unit, rows: () => rows({ path, size }, columns) };
}

function namedTwice(name: string, same: CaptionSource, origin: string): LincirError {
  return new LincirError('bad-argument', {
    subject: name,
    expected: 'every file once',
    found: `it in ${quoted(same.origin)} as ${quoted(same.name)}, and in ${quoted(origin)}`,
    todo: `name it once, with a weight if it is to count more: ${quoted(`${name}:2`)}`,
  });
}
