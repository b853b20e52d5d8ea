/** `lincir index --status`: how far all workers are with an index. */

import {
  formatCount,
  formatCounted,
  formatDuration,
  formatRate,
  LincirError,
  quoted,
} from '../../core/index.ts';
import { divisionsOf, endedAmong, openIndex, shardStatus, workerName } from '../../indexing/index.ts';
import type { SourceRecord } from '../../store/index.ts';
import type { Context } from '../context.ts';
import { refuseBeside } from '../idle-options.ts';
import { counted } from '../indexing/outcome.ts';

/** How many sources of a kind are named. `--json` names all. */
const mostNamed = 20;

interface StatusOptions {
  readonly index: string;
  readonly pictures: readonly string[];
  readonly shard?: unknown;
  readonly stats?: boolean;
  readonly json?: boolean;
}

export async function showStatus(
  { index: uri, pictures, shard, stats, json }: StatusOptions,
  { print, reporter }: Context,
): Promise<void> {
  refuseBeside(
    '--status',
    { 'images to index': pictures.length > 0, shard, stats },
    { expected: 'only --index', todo: 'give that to a lincir index of its own' },
  );
  const target = await openIndex(uri).catch((error: unknown) => {
    throw error instanceof LincirError && error.code === 'not-found' ? notYet(uri) : error;
  });
  try {
    const now = Date.now();
    const records = (await Array.fromAsync(target.sources())).flat();
    const ended = await endedAmong(records);
    const status = shardStatus(records, now, ended);
    const { images: inIndex } = await target.statistics();
    const { sources, images, broken, imagesPerSecond, secondsLeft, failures, silent } = status;
    if (json) {
      const named = { failures: failures.map(readable), silent: silent.map(readable) };
      print(JSON.stringify({ index: uri, imagesInIndex: inIndex, ...status, ...named }));
      if (failures.length > 0) throw failed(uri, failures.length);
      return;
    }
    if (records.length === 0) {
      print(`no worker of --shard has run: ${formatCounted(inIndex, 'images')} in ${uri}`);
      return;
    }
    const { silent: quiet, ...others } = sources;
    const rows: readonly (readonly [string, string])[] = [
      ['index', uri],
      ['parts', counted({ ...others, 'without a worker': quiet })],
      ['images', `${formatCount(inIndex)} in the index, ${formatCount(images)} in these parts`],
      ['broken', formatCount(broken)],
      ...(imagesPerSecond === undefined ? [] : [['speed', formatRate(imagesPerSecond, 'images')] as const]),
      ...(secondsLeft ? [['time left', `about ${formatDuration(secondsLeft)}`] as const] : []),
    ];
    for (const [name, value] of rows) print(`${name.padEnd(12)} ${value}`);
    named(failures, ({ reason }) => `failed: ${reason}`, print);
    named(
      silent,
      (record) =>
        ended.has(record)
          ? `its worker ${workerName(record.worker)} has ended`
          : `no sign of life from ${workerName(record.worker)} for ${formatDuration((now - record.updated) / 1000)}`,
      print,
    );
    const divisions = divisionsOf(records);
    if (divisions.length > 1) {
      reporter.note(
        `warning: --shard i/n with n of ${divisions.join(', ')}: another n makes other parts of a folder, and only those of the last count`,
      );
    }
    if (failures.length > 0) throw failed(uri, failures.length);
  } finally {
    await target.close();
  }
}

/** Times as everywhere: ISO 8601. */
function readable({ began, updated, worker, ...record }: SourceRecord) {
  const iso = (milliseconds: number) => new Date(milliseconds).toISOString();
  return { ...record, began: iso(began), updated: iso(updated), worker: workerName(worker) };
}

function failed(uri: string, count: number): LincirError {
  return new LincirError('io', {
    subject: uri,
    expected: 'no part that failed',
    found: `${count} of them`,
    todo: 'mend them, and run their workers again',
  });
}

function notYet(uri: string): LincirError {
  return new LincirError('not-found', {
    subject: uri,
    expected: 'an index',
    found: 'none: it is not there yet, or has another address',
    todo: 'look again when the first worker of --shard has made it',
  });
}

function named(
  records: readonly SourceRecord[],
  what: (record: SourceRecord) => string,
  print: (line: string) => void,
): void {
  for (const record of records.slice(0, mostNamed)) {
    print(`${quoted(record.source, 4096).slice(1, -1)}: ${what(record)}`);
  }
  const more = records.length - mostNamed;
  if (more > 0) print(`${formatCount(more)} more: --json names them all`);
}
