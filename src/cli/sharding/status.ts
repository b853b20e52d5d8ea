/** `lincir index --status`: how far all workers are with an index. */

import { formatCount, formatDuration, formatRate, quoted } from '../../core/index.ts';
import { openIndex, shardStatus } from '../../indexing/index.ts';
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
  { print }: Context,
): Promise<void> {
  refuseBeside(
    '--status',
    { 'images to index': pictures.length > 0, shard, stats },
    { expected: 'only --index', todo: 'give that to a lincir index of its own' },
  );
  const target = await openIndex(uri);
  try {
    const now = Date.now();
    const status = shardStatus((await Array.fromAsync(target.sources())).flat(), now);
    if (json) {
      print(JSON.stringify({ index: uri, ...status }));
      return;
    }
    const { sources, images, broken, imagesPerSecond, secondsLeft, failures, silent } = status;
    const { silent: quiet, ...others } = sources;
    const rows: readonly (readonly [string, string])[] = [
      ['index', uri],
      ['sources', counted({ ...others, 'without a sign of life': quiet })],
      ['images', formatCount(images)],
      ['broken', formatCount(broken)],
      ...(imagesPerSecond === undefined ? [] : [['speed', formatRate(imagesPerSecond, 'images')] as const]),
      ...(secondsLeft ? [['time left', `about ${formatDuration(secondsLeft)}`] as const] : []),
    ];
    for (const [name, value] of rows) print(`${name.padEnd(12)} ${value}`);
    named(failures, ({ reason }) => `failed: ${reason}`, print);
    named(
      silent,
      ({ worker, updated }) => `no sign of life from ${worker} for ${formatDuration((now - updated) / 1000)}`,
      print,
    );
  } finally {
    await target.close();
  }
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
