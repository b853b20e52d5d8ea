/** `lincir embed`: embeds images or texts into a file, in bounded memory, and continues where it was stopped. */

import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Clip, loadClip } from '../../clip/index.ts';
import {
  formatCount,
  formatCounted,
  formatDuration,
  formatRate,
  LincirError,
  quoted,
} from '../../core/index.ts';
import { asLincirError, statOf } from '../../files/index.ts';
import { type Device, expectPrecision } from '../../onnx/index.ts';
import { type LeftOut, shardFile, type WorkShard } from '../../pictures/index.ts';
import { type Context, downloadBar } from '../context.ts';
import { writerFor } from '../embed/embeddings-file.ts';
import type { Input } from '../embed/input.ts';
import { PartialWork, type Skipped } from '../embed/partial-work.ts';
import { imagesInput } from '../embed/pictures.ts';
import { textsInput } from '../embed/texts.ts';
import { refuseIdle } from '../idle-options.ts';
import { imagePrecisions } from '../options.ts';
import { tellLeftOut } from '../terminal/left-out.ts';

interface EmbedOptions {
  readonly model: string;
  /** Paths, folders and glob patterns. */
  readonly images?: readonly string[];
  /** A file, or `-` for standard input. */
  readonly texts?: string;
  readonly out: string;
  readonly normalize?: boolean;
  readonly precision?: (typeof imagePrecisions)[number];
  readonly device?: Device;
  readonly threads?: number;
  readonly targetPad?: number;
  readonly maxPixels?: number;
  /** The share of the images. */
  readonly shard?: WorkShard;
  /** Refuse texts that are too long. */
  readonly strict?: boolean;
  /** Leave out images that cannot be read. */
  readonly skipBroken?: boolean;
  readonly json?: boolean;
}

/** The outcome, as `--json` prints it. */
interface Summary {
  readonly files: readonly string[];
  readonly kind: Input['kind'];
  readonly model: string;
  readonly fingerprint: string;
  readonly normalized: boolean;
  readonly count: number;
  readonly dimensions: number;
  /** Done by earlier runs of the same command. */
  readonly resumedFrom: number;
  readonly skipped: readonly Skipped[];
  /** Files that look like images and are not taken, by ending. */
  readonly leftOut: LeftOut;
  /** Of this run, without loading the model. */
  readonly seconds: number;
}

export async function embed({ shard, ...given }: EmbedOptions, context: Context): Promise<void> {
  const options = shard ? { ...given, shard, out: shardFile(given.out, shard) } : given;
  const { model, out, normalize = false, precision, device, threads, targetPad, maxPixels } = options;
  const { reporter, signal, print } = context;
  const { images, texts } = options;
  refuseIdle([
    ['--strict', options.strict, texts !== undefined, '--texts as well'],
    ['--skip-broken', options.skipBroken, images !== undefined, '--images as well'],
    ['--shard', shard, images !== undefined, '--images as well'],
    ['--precision', precision, images !== undefined, '--images as well'],
    ['--target-pad', targetPad, images !== undefined, '--images as well'],
    ['--max-pixels', maxPixels, images !== undefined, '--images as well'],
  ]);
  expectPrecision(precision, device, imagePrecisions);
  const write = writerFor(out);
  await expectPlaceFor(out);
  if (shard && (await statOf(out))) {
    reporter.note(`${out} is there, so nothing is to be done; delete it to make it again`);
    return;
  }
  const input = await inputOf(options, context);
  const clip = await loadClip(model, {
    precision,
    device,
    threads,
    targetPad,
    maxPixels,
    onDownload: downloadBar(reporter, model),
    signal,
  });
  reporter.end();
  try {
    const work = await beginWork(clip, input, options, context);
    try {
      const { kind } = input;
      const { fingerprint } = clip;
      const { dimensions, done: resumedFrom } = work;
      const begin = performance.now();
      await finishWork(clip, input, work, options, context);
      const seconds = (performance.now() - begin) / 1000;

      const about = { kind, model: clip.id ?? model, fingerprint, normalized: normalize };
      const skipped = [...work.skipped.values()];
      const count = work.count - skipped.length;
      const files = await write(out, {
        ...{ count, dimensions },
        metadata: { ...about, normalized: String(normalize) },
        rows: () => work.rows(),
        names: () => work.names(),
      });
      await work.remove();
      const { leftOut = {} } = input;
      const summary = { files, ...about, count, dimensions, resumedFrom, skipped, leftOut, seconds };
      if (options.json) print(JSON.stringify(summary));
      else report(summary, context);
    } finally {
      await work.close();
    }
  } finally {
    await clip.dispose();
  }
}

async function inputOf(
  { images, texts, strict = false, skipBroken = false, shard }: EmbedOptions,
  context: Context,
): Promise<Input> {
  if (images !== undefined && texts === undefined)
    return await imagesInput(images, skipBroken, context.reporter.note.bind(context.reporter), shard);
  if (texts !== undefined && images === undefined) return await textsInput(texts, strict, context);
  throw new LincirError('bad-argument', {
    subject: 'lincir embed',
    expected: 'either --images or --texts',
    found: images === undefined ? 'neither' : 'both',
    todo: images === undefined ? 'say what to embed' : 'run it once for each, with an --out of its own',
  });
}

/** Checks now, not after hours, that the output can be written. */
async function expectPlaceFor(out: string): Promise<void> {
  await stat(dirname(out)).catch((error: unknown) => {
    throw asLincirError(error, dirname(out), 'read');
  });
  if (!(await statOf(out))?.isDirectory()) return;
  throw new LincirError('bad-argument', {
    subject: '--out',
    expected: 'a file',
    found: `the folder ${quoted(out)}`,
  });
}

async function beginWork(
  clip: Clip,
  input: Input,
  { model, out, normalize = false, targetPad, skipBroken }: EmbedOptions,
  { reporter }: Context,
): Promise<PartialWork> {
  const { kind } = input;
  // Encoding no items tells the width, or fails if the model lacks the tower.
  const { shape } = await (kind === 'images' ? clip.encodeImages([]) : clip.encodeTexts([]));
  const { fingerprint } = clip;
  const job = {
    kind,
    model: clip.id ?? model,
    fingerprint,
    normalized: normalize,
    targetPad: targetPad ?? null,
    dimensions: shape[1]!,
  };
  const work = await PartialWork.open(`${out}.partial`, job, input.names(clip));
  const { folder, count, done, skipped } = work;
  if (done > 0) {
    reporter.note(
      `${folder} has ${formatCount(done)} of ${formatCounted(count, kind)} already: continuing from there`,
    );
  }
  if (skipped.size > 0 && !skipBroken) {
    await work.close();
    throw new LincirError('bad-argument', {
      subject: folder,
      expected: 'no images left out',
      found: `${skipped.size}, by an earlier run with --skip-broken`,
      todo: 'give that option again, or delete the folder to start again',
    });
  }
  return work;
}

/** Embeds what `work` still lacks. */
async function finishWork(
  clip: Clip,
  input: Input,
  work: PartialWork,
  { normalize = false }: EmbedOptions,
  { reporter, signal }: Context,
): Promise<void> {
  const { kind } = input;
  const { folder, count } = work;
  reporter.begin({ label: 'embedding', unit: kind, total: count, begun: work.done });
  try {
    for await (const { data } of input.batches(clip, work, { normalize })) {
      await work.append(data);
      reporter.advance(work.done);
      signal.throwIfAborted();
    }
  } catch (error) {
    const kept = `${formatCount(work.done)} of ${formatCounted(count, kind)} are kept in ${folder}`;
    if (signal.aborted) reporter.note(`${kept}: run the same command again to continue`);
    if (!(error instanceof LincirError)) throw error;
    const repair =
      kind === 'images' ? 'repair it, or give --skip-broken' : 'run the same command again to continue';
    const todo = `${error.problem.todo ?? repair}; ${kept}`;
    throw new LincirError(error.code, { ...error.problem, todo, cause: error });
  } finally {
    reporter.end();
  }
}

/** Prints the images that were left out, and a summary in one line. */
function report(summary: Summary, { reporter }: Context): void {
  const { files, kind, count, dimensions, resumedFrom, skipped, leftOut, seconds } = summary;
  tellLeftOut(leftOut, reporter);
  for (const { name, reason } of skipped) reporter.note(`left out: ${name}: ${reason}`);
  const parts = [
    `${formatCounted(count, kind)}${skipped.length > 0 ? ` (${formatCount(skipped.length)} left out)` : ''}`,
    `${dimensions} dimensions`,
    formatDuration(seconds),
    formatRate((count + skipped.length - resumedFrom) / seconds, kind),
  ];
  reporter.note(`${parts.join(', ')} → ${files.toReversed().join(', ')}`);
}
