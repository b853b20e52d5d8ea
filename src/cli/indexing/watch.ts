/** `lincir index --watch`: shows how an index is kept up to date, until it is told to stop. */

import type { Clip } from '../../clip/index.ts';
import { formatDuration, LincirError } from '../../core/index.ts';
import {
  openIndex,
  type UpdateSummary,
  type WatchEvent,
  type WatchOptions,
  watchIndex,
} from '../../indexing/index.ts';
import type { Device } from '../../onnx/index.ts';
import type { BrokenImage } from '../../store/index.ts';
import type { Context } from '../context.ts';
import { tellAhead } from './forecast.ts';
import { tellOutcome, UpdateProgress } from './outcome.ts';

interface WatchCommandOptions
  extends Pick<WatchOptions, 'exclude' | 'followLinks' | 'compare' | 'maxPixels'> {
  readonly index: string;
  readonly model?: string;
  readonly device?: Device;
  readonly list?: readonly string[];
  readonly keepMissing?: number;
  readonly poll?: number;
  readonly json?: boolean;
}

interface ShownWatch {
  readonly uri: string;
  /** What is said when the index is up to date for the first time. */
  readonly ready: string;
  /** Absent: others use the terminal's last line. */
  readonly progress?: UpdateProgress;
}

/** Milliseconds between a program's lines of progress. */
const millisecondsPerLine = 500;

/** @param load loads the model that the options name, or else the index's own */
export async function watch(
  images: readonly string[],
  options: WatchCommandOptions,
  load: (isFirst: boolean) => Promise<Clip>,
  context: Context,
): Promise<void> {
  const { list: lists, keepMissing: keepMissingDays, poll: pollSeconds, index: uri, json } = options;
  const { exclude, followLinks, compare, maxPixels } = options;
  const named = { images, lists, exclude, followLinks, ...tellAhead(options, context) };
  const rules = { compare, maxPixels, keepMissingDays, pollSeconds, signal: context.signal };
  const progress = json ? undefined : new UpdateProgress(context.reporter);
  progress?.begin();
  const show = json
    ? linesFor(context)
    : shownTo(context, { uri, ready: 'watching for changes; Ctrl-C ends it', progress });
  let isFirst = true;
  for await (const event of watchIndex(uri, () => load(isFirst), { ...named, ...rules })) {
    await show(event);
    if (event.kind === 'end') isFirst = false;
  }
}

/** Every event as a line of JSON; of progress, what a program can follow. */
function linesFor({ print }: Context): (event: WatchEvent) => void {
  let printed = 0;
  const value = (_: string, part: unknown) =>
    part instanceof LincirError
      ? { code: part.code, message: part.message, ...part.problem, cause: undefined }
      : part;
  return (event) => {
    const now = performance.now();
    if (event.kind === 'progress' && now - printed < millisecondsPerLine) return;
    printed = now;
    print(JSON.stringify(event, value));
  };
}

/** Lines for a person: what an update has changed, and problems once. */
export function shownTo(
  { reporter, told }: Pick<Context, 'reporter' | 'told'>,
  { uri, ready, progress }: ShownWatch,
): (event: WatchEvent) => Promise<void> {
  let begun = performance.now();
  let isFirst = true;
  let toldProblems = '';
  return async (event) => {
    if (event.kind === 'end') {
      reporter.end();
      const { summary, leftOut } = event;
      if (!isFirst && !hasChanged(summary)) return;
      const broken = isFirst || summary.broken > 0 ? await brokenIn(uri) : [];
      const seconds = (performance.now() - begun) / 1000;
      tellOutcome({ summary, leftOut: isFirst ? leftOut : {}, broken, seconds, uri }, reporter);
    } else if (event.kind === 'waiting') {
      reporter.end();
      const problems = event.problems.map(({ message }) => `warning: ${told(message)}`).join('\n');
      if (problems !== toldProblems) {
        const again = `looking again in ${formatDuration(event.seconds)}`;
        reporter.note(problems ? `${problems}\n${again}` : 'all is well again');
      }
      toldProblems = problems;
      if (isFirst) reporter.note(ready);
      isFirst = false;
    } else {
      if (!isFirst && event.kind === 'begin') begun = performance.now();
      const isIdle = !isFirst && event.kind === 'begin' && event.todo === 0;
      if (!isIdle) progress?.show(event);
    }
  };
}

function hasChanged({ added, changed, renamed, removed, broken }: UpdateSummary): boolean {
  return added + changed + renamed + removed + broken > 0;
}

async function brokenIn(uri: string): Promise<BrokenImage[]> {
  const index = await openIndex(uri);
  try {
    return (await Array.fromAsync(index.broken())).flat();
  } finally {
    await index.close();
  }
}
