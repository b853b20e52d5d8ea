/** `lincir index --shard`: one worker's share of an index, with progress and outcome. */

import type { Clip } from '../../clip/index.ts';
import {
  formatCount,
  formatCounted,
  formatDuration,
  formatRate,
  LincirError,
  quoted,
} from '../../core/index.ts';
import { openIndex, type ShardSummary } from '../../indexing/index.ts';
import { shardName, type WorkShard } from '../../pictures/index.ts';
import type { Precision, SourceRecord } from '../../store/index.ts';
import type { Context } from '../context.ts';
import { refuseBeside } from '../idle-options.ts';
import { counted } from '../indexing/outcome.ts';

/** What of the options of `lincir index` goes with `--shard`. */
interface IndexShardOptions {
  readonly index: string;
  readonly shard: WorkShard;
  readonly exclude?: readonly string[];
  readonly followLinks?: boolean;
  readonly maxPixels?: number;
  readonly compare?: 'times' | 'modified' | 'contents';
  readonly json?: boolean;
  readonly precision?: Precision;
}

/** What does not. */
type NotShared = Readonly<
  Partial<
    Record<
      'list' | 'embeddings' | 'metadata' | 'remove' | 'removeMissing' | 'keepMissing' | 'watch' | 'stats',
      unknown
    >
  >
>;

const onlySources = 'folders and shards (.tar), the same ones for all workers';

export async function indexShard(
  images: readonly string[],
  options: IndexShardOptions & NotShared,
  load: () => Promise<Clip>,
  context: Context,
): Promise<void> {
  const { list, embeddings, metadata, remove, removeMissing, keepMissing, watch, stats } = options;
  refuseBeside(
    '--shard',
    { list, embeddings, metadata, remove, removeMissing, keepMissing, watch, stats },
    { expected: onlySources, todo: 'give that to a lincir index of its own, when all shards are done' },
  );
  if (images.length === 0) {
    const todo = 'say what to index';
    throw new LincirError('bad-argument', { subject: '--shard', expected: onlySources, found: 'none', todo });
  }
  const clip = await load();
  try {
    await work(images, options, clip, context);
  } finally {
    await clip.dispose();
  }
}

async function work(
  images: readonly string[],
  { index: uri, json, shard, precision, exclude, followLinks, maxPixels, compare }: IndexShardOptions,
  clip: Clip,
  { reporter, signal, print }: Context,
): Promise<void> {
  const options = { shard, exclude, followLinks, maxPixels, compare };
  const name = `shard ${shardName(options.shard)}`;
  const target = await openIndex(uri, { access: 'add', clip, precision });
  const begin = performance.now();
  const failures: SourceRecord[] = [];
  let summary: ShardSummary | undefined;
  let last: Error | undefined;
  try {
    for await (const event of target.addShard(clip, { images, ...options, signal })) {
      if (event.kind === 'begin') {
        const { sources, skipped } = event;
        reporter.note(`${name}: ${formatCounted(sources, 'sources')}, ${formatCount(skipped)} of them done`);
        reporter.begin({ label: name, unit: 'images' });
      } else if (event.kind === 'progress') reporter.advance(event.done);
      else if (event.kind === 'source' && event.record.state === 'failed') {
        failures.push(event.record);
        reporter.note(`failed: ${quoted(event.record.source, 4096).slice(1, -1)}: ${event.record.reason}`);
      } else if (event.kind === 'left') {
        const sources = formatCounted(event.sources, 'sources');
        reporter.note(`${sources} left to other workers: the last one to end compacts the index`);
      } else if (event.kind === 'end') ({ summary, failed: last } = event);
    }
  } catch (error) {
    if (error !== last) throw error;
  } finally {
    reporter.end();
    await target.close();
    if (signal.aborted) reporter.note(`what is done is in ${uri}: run the same command again to continue`);
  }
  const seconds = (performance.now() - begin) / 1000;
  if (json) {
    const failed = failures.map(({ source, reason }) => ({ source, reason }));
    print(JSON.stringify({ index: uri, shard: shardName(options.shard), ...summary!, failed, seconds }));
  } else reporter.note(`${name}: ${described(summary!, seconds)} → ${uri}`);
  if (last) throw last;
}

function described(summary: ShardSummary, seconds: number): string {
  const { sources, added, changed, unchanged, broken, encoded } = summary;
  const parts = [
    `${formatCounted(sources.done + sources.skipped + sources.failed, 'sources')} (${counted({ ...sources, skipped: 0, 'done before': sources.skipped })})`,
    `${formatCounted(added + changed + unchanged, 'images')} (${counted({ new: added, changed, unchanged })})`,
    ...(broken > 0 ? [`${formatCount(broken)} broken`] : []),
    formatDuration(seconds),
    ...(encoded > 1 ? [formatRate(encoded / seconds, 'images')] : []),
  ];
  return parts.join(', ');
}
