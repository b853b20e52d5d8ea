/** `lincir index`: puts images, ready embeddings and metadata into an index, and shows what is in one. */

import { loadClip, precisionOf } from '../../clip/index.ts';
import { formatBytes, formatCount, formatCounted, LincirError, quoted } from '../../core/index.ts';
import {
  type Comparison,
  expectEmbeddings,
  type ImageIndex,
  infoFor,
  modelFor,
  modelPrecision,
  openIndex,
  reindex,
} from '../../indexing/index.ts';
import type { Device } from '../../onnx/index.ts';
import {
  type EmbeddingsFile,
  indexPath,
  isS3,
  openEmbeddings,
  openMetadata,
  type WorkShard,
} from '../../pictures/index.ts';
import { type Precision, reservedColumns, type StoreInfo } from '../../store/index.ts';
import { type Context, downloadBar } from '../context.ts';
import { refuseBeside, refuseIdle } from '../idle-options.ts';
import { tellAhead } from '../indexing/forecast.ts';
import { counted, follow, listBroken } from '../indexing/outcome.ts';
import { watch } from '../indexing/watch.ts';
import { indexShard } from '../sharding/index-shard.ts';
import { showStatus } from '../sharding/status.ts';

interface IndexOptions {
  readonly index: string;
  /** Default: the index's own. */
  readonly model?: string;
  /** Files that list images. */
  readonly list?: readonly string[];
  readonly embeddings?: readonly string[];
  /** Files with the names of the rows, one for each file of `embeddings`, in their order. */
  readonly names?: readonly string[];
  readonly metadata?: readonly string[];
  readonly metadataKey?: string;
  readonly exclude?: readonly string[];
  readonly followLinks?: boolean;
  readonly remove?: readonly string[];
  readonly removeMissing?: boolean;
  /** In days. */
  readonly keepMissing?: number;
  readonly compare?: Comparison;
  readonly watch?: boolean;
  /** Seconds between looks of `watch`. */
  readonly poll?: number;
  readonly stats?: boolean;
  readonly shard?: WorkShard;
  readonly status?: boolean;
  readonly precision?: Precision | 'int8';
  readonly device?: Device;
  readonly threads?: number;
  readonly targetPad?: number;
  readonly maxPixels?: number;
  readonly json?: boolean;
}

type ReindexCommandOptions = Pick<
  IndexOptions,
  'index' | 'model' | 'precision' | 'device' | 'threads' | 'targetPad' | 'maxPixels' | 'json'
>;

export async function index(
  pictures: readonly string[],
  options: IndexOptions,
  context: Context,
): Promise<void> {
  const { list = [], embeddings = [], names = [], metadata = [], remove = [], stats, json } = options;
  const { reporter, signal, print } = context;
  const { shard } = options;
  if (options.status) return await showStatus({ ...options, pictures }, context);
  if (shard) {
    const given = { ...options, shard, precision: storedAs(options) };
    return await indexShard(pictures, given, () => clipFor(options, context), context);
  }
  const addsPictures = pictures.length + list.length > 0;
  const doesNothing = !addsPictures && embeddings.length + metadata.length + remove.length === 0;
  const ofPictures = 'folders, files, shards or --list as well';
  refuseIdle([
    ['--metadata-key', options.metadataKey, metadata.length > 0, '--metadata as well'],
    ['--exclude', options.exclude, addsPictures, ofPictures],
    ['--follow-links', options.followLinks, addsPictures, ofPictures],
    ['--max-pixels', options.maxPixels, addsPictures, ofPictures],
    ['--compare', options.compare, addsPictures, ofPictures],
    ['--remove-missing', options.removeMissing, addsPictures, ofPictures],
    ['--keep-missing', options.keepMissing, addsPictures, ofPictures],
    ['--watch', options.watch, addsPictures, ofPictures],
    ['--poll', options.poll, options.watch === true, '--watch as well'],
    ['--model', options.model, !doesNothing || !stats, 'something to index'],
    ['--precision', options.precision, !doesNothing || !stats, 'something to index'],
    ['--target-pad', options.targetPad, !doesNothing || !stats, 'something to index'],
    ['--device', options.device, !doesNothing || !stats, 'something to index'],
    ['--threads', options.threads, !doesNothing || !stats, 'something to index'],
  ]);
  if (doesNothing) {
    if (!stats) throw nothingToDo();
    return await showStatistics(options, context);
  }
  if (names.length > embeddings.length) {
    throw new LincirError('bad-argument', {
      subject: '--names',
      expected: 'at most a file for each of --embeddings',
      found: `${names.length} for ${embeddings.length}`,
    });
  }
  if (options.watch) {
    expectWatchable(pictures, options);
    const load = (isFirst: boolean) => clipFor(isFirst ? options : { ...options, model: undefined }, context);
    return await watch(pictures, options, load, context);
  }
  // Finds what is wrong with these before hours of work.
  const tables = await Promise.all(
    metadata.map((path) => openMetadata(path, { reserved: reservedColumns, key: options.metadataKey })),
  );
  const matrices = await Promise.all(embeddings.map((path, at) => openEmbeddings(path, names[at])));
  const isNew = (await infoOf(options.index)) === undefined;
  const clip = await clipFor(options, context, { first: isNew ? matrices[0] : undefined });
  const vouched = options.precision === 'int8' ? 'int8' : undefined;
  let away: LincirError | undefined;
  try {
    const precision = storedAs(options);
    // A new index is not made for what it would refuse.
    if (isNew) for (const matrix of matrices) expectEmbeddings(infoFor(clip), matrix, vouched);
    const target = await openIndex(options.index, {
      access: 'write',
      // Without a model, a missing index is not made: images are only taken out or listed.
      ...(addsPictures || embeddings.length > 0 ? { clip } : {}),
      precision,
    });
    try {
      if (remove.length > 0) {
        await takeOut(target, remove, addsPictures || embeddings.length + metadata.length > 0, context);
      }
      if (addsPictures) {
        const { exclude, followLinks, maxPixels, compare, removeMissing, keepMissing } = options;
        const named = { images: pictures, lists: list, exclude, followLinks };
        const rules = { maxPixels, compare, removeMissing, keepMissingDays: keepMissing };
        const events = target.add(clip, { ...named, ...rules, ...tellAhead(options, context), signal });
        away = await follow(events, target, options, context);
      }
      for (const matrix of matrices) {
        tellTrust(matrix, target, context);
        reporter.begin({ label: `adding ${matrix.path}`, unit: 'images', total: matrix.count });
        const work = target.addEmbeddings(matrix, signal, vouched);
        let step = await work.next();
        for (; !step.done; step = await work.next()) reporter.advance(step.value);
        reporter.end();
        const { added, changed, unchanged } = step.value;
        if (json) print(JSON.stringify({ embeddings: matrix.path, ...step.value }));
        else
          reporter.note(`${matrix.path}: ${counted({ new: added, changed, unchanged })} → ${options.index}`);
      }
      for (const table of tables) {
        const annotation = await target.annotate(table, pictures);
        const { rows, images: named, changed, unmatched, firstUnmatched } = annotation;
        if (json) print(JSON.stringify({ metadata: table.path, ...annotation }));
        else {
          reporter.note(
            `${table.path}: ${formatCounted(rows, 'rows')} for ${formatCounted(named, 'images')}, ${formatCount(changed)} of them changed`,
          );
        }
        if (unmatched > 0) {
          reporter.note(
            `warning: ${table.path}: ${formatCounted(unmatched, 'rows')} ${unmatched === 1 ? 'names' : 'name'} no image of the index, such as ${quoted(firstUnmatched ?? '')}`,
          );
        }
      }
    } finally {
      await target.close();
    }
  } finally {
    await clip.dispose();
  }
  if (stats) await showStatistics(options, context);
  if (away) throw away;
}

/** Says that nothing proves what made the embeddings of a file from elsewhere. */
function tellTrust({ path, fingerprint }: EmbeddingsFile, { info }: ImageIndex, { reporter }: Context): void {
  if (fingerprint !== undefined) return;
  const precision = precisionOf(info.fingerprint) ?? 'float32';
  reporter.note(
    `${path} does not say what made its embeddings: they are taken on trust as ${precision} embeddings of ${info.model}`,
  );
}

/** Takes images out, and warns of names that no image has. */
async function takeOut(
  target: ImageIndex,
  names: readonly string[],
  doesMore: boolean,
  { reporter }: Context,
): Promise<void> {
  const count = await target.remove(names);
  const forgotten = await target.forgetSources(names);
  if (forgotten.length > 0) reporter.note(`no longer in --status: ${forgotten.join(', ')}`);
  if (count === 0 && forgotten.length === 0 && !doesMore) {
    for (const name of names) {
      if (!(await target.hasFolder(indexPath(name)))) continue;
      throw new LincirError('not-found', {
        subject: `--remove ${quoted(name)}`,
        expected: 'ids or paths of images in the index',
        found: 'a folder',
        todo: 'give its images',
      });
    }
    throw new LincirError('not-found', {
      subject: `--remove ${quoted(names[0])}`,
      expected: 'ids or paths of images in the index',
      found: 'none of them there',
      todo: `lincir search --index ${target.uri} shows both`,
    });
  }
  if (count === 0 && forgotten.length > 0) return;
  const others = new Set(names).size - count;
  if (others > 0) {
    reporter.note(`warning: --remove: ${formatCounted(others, 'names')} of no image in ${target.uri}`);
  }
  reporter.note(`${formatCounted(count, 'images')} taken out of ${target.uri}`);
}

/** `lincir reindex`. */
export async function rebuild(options: ReindexCommandOptions, context: Context): Promise<void> {
  const { maxPixels } = options;
  const precision = storedAs(options);
  const clip = await clipFor(options, context, { rebuilds: true });
  try {
    await follow(
      reindex(options.index, clip, {
        ...{ precision, maxPixels, signal: context.signal },
        ...tellAhead(options, context),
      }),
      undefined,
      options,
      context,
    );
  } finally {
    await clip.dispose();
  }
}

/** The type of stored vectors that the options ask for. */
function storedAs({ precision }: ReindexCommandOptions): Precision | undefined {
  return precision === 'int8' ? 'float16' : precision;
}

/** The model that the options name, or else the index's own. A new index takes the precision of its first embeddings. */
async function clipFor(
  { index: uri, model, precision, device, threads, targetPad, maxPixels }: ReindexCommandOptions,
  { reporter, signal }: Context,
  { first, rebuilds = false }: { readonly first?: EmbeddingsFile; readonly rebuilds?: boolean } = {},
) {
  const present = await infoOf(uri);
  const name = present ? await modelFor(uri, present, model) : model;
  if (name === undefined) {
    throw new LincirError('bad-argument', {
      subject: uri,
      expected: 'a model for the new index',
      found: 'none',
      todo: 'give --model, such as --model base',
    });
  }
  const padding = targetPad ?? present?.targetPad ?? undefined;
  const [holder, fingerprint = ''] = present
    ? [{ index: uri }, present.fingerprint]
    : [{ file: first?.path ?? '' }, first?.fingerprint];
  const isReplaced = rebuilds && precision !== undefined;
  const held = isReplaced ? undefined : modelPrecision(holder, fingerprint, device);
  const clip = await loadClip(name, {
    device,
    threads,
    precision: precision === undefined ? held : encodedIn(precision, device),
    targetPad: padding,
    maxPixels,
    onDownload: downloadBar(reporter, name),
    signal,
  });
  reporter.end();
  return clip;
}

/** Vectors that are stored as float16 are computed in float32 on a CPU, which has no products of float16. */
function encodedIn(precision: Precision | 'int8', device: Device = 'cpu'): Precision | 'int8' {
  return precision === 'float16' && device === 'cpu' ? 'float32' : precision;
}

async function infoOf(uri: string): Promise<StoreInfo | undefined> {
  try {
    const present = await openIndex(uri);
    await present.close();
    return present.info;
  } catch (error) {
    if (error instanceof LincirError && error.code === 'not-found') return undefined;
    throw error;
  }
}

async function showStatistics({ index: uri, json }: IndexOptions, { print }: Context): Promise<void> {
  const target = await openIndex(uri);
  try {
    const { info } = target;
    const { images, missing, bytes, approximate, columns } = await target.statistics();
    const broken = (await Array.fromAsync(target.broken())).flat();
    if (json) {
      print(
        JSON.stringify({
          index: uri,
          ...info,
          images,
          missing: (await Array.fromAsync(target.missing())).flat(),
          bytes: bytes ?? null,
          approximate: approximate ?? null,
          columns: Object.fromEntries(columns),
          broken,
        }),
      );
      return;
    }
    const rows: readonly (readonly [string, string])[] = [
      ['index', uri],
      ['images', formatCount(images)],
      ['broken', formatCount(broken.length)],
      ...(missing > 0 ? [['missing', `${formatCount(missing)}, which can come back`] as const] : []),
      ['model', `${info.model} (fingerprint ${info.fingerprint})`],
      ['vectors', `${info.dimensions} x ${info.precision}`],
      ...(precisionOf(info.fingerprint) ? [['encoded', 'with int8 products'] as const] : []),
      ['padding', info.targetPad === null ? 'none' : `to ${info.targetPad}`],
      [
        'approximate',
        approximate
          ? `${formatCounted(approximate.indexed, 'images')} in it, ${formatCount(approximate.others)} compared one by one`
          : 'none: all are compared one by one',
      ],
      ['columns', [...columns].map(([name, type]) => `${name} (${type})`).join(', ')],
      ['made', info.created],
      ...(bytes === undefined ? [] : [['size', formatBytes(bytes)] as const]),
    ];
    for (const [name, value] of rows) print(`${name.padEnd(12)} ${value}`);
    listBroken(broken, print);
  } finally {
    await target.close();
  }
}

/** Refuses what is done once, beside what goes on. */
function expectWatchable(pictures: readonly string[], options: IndexOptions): void {
  const { embeddings, metadata, remove, removeMissing, stats, list } = options;
  const once = { embeddings, metadata, remove, removeMissing, stats, 'list -': list?.includes('-') };
  refuseBeside('--watch', once, {
    expected: 'folders, files, shards and files with lists',
    todo: 'give that to a lincir index of its own, also while this one watches',
  });
  const remote = pictures.find(isS3);
  if (remote === undefined) return;
  throw new LincirError('bad-argument', {
    subject: '--watch',
    expected: 'folders and files of this machine, which tell when they change',
    found: quoted(remote, 200),
    todo: 'run lincir index from time to time, such as by cron',
  });
}

function nothingToDo(): LincirError {
  return new LincirError('bad-argument', {
    subject: 'lincir index',
    expected: 'folders, files or shards, --list, --embeddings, --metadata, --remove or --stats',
    found: 'none of them',
    todo: 'say what to index',
  });
}
