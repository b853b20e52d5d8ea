/** Shows work on an index, and its outcome. */

import {
  formatCount,
  formatCounted,
  formatDuration,
  formatRate,
  type LincirError,
  quoted,
} from '../../core/index.ts';
import { type ImageIndex, openIndex, type UpdateEvent, type UpdateSummary } from '../../indexing/index.ts';
import type { LeftOut } from '../../pictures/index.ts';
import type { BrokenImage } from '../../store/index.ts';
import type { Context } from '../context.ts';
import { tellLeftOut } from '../terminal/left-out.ts';
import type { Reporter } from '../terminal/progress.ts';

/** How many broken images are printed after indexing; `--stats` prints all. */
const brokenShown = 20;
/** Milliseconds between lines where there is no terminal. */
const millisecondsPerLine = 60_000;

interface Outcome {
  readonly summary: UpdateSummary;
  readonly leftOut: LeftOut;
  /** All broken images to name. */
  readonly broken: readonly BrokenImage[];
  readonly seconds: number;
  readonly uri: string;
}

/** A bar for an update, or a line from time to time. */
export class UpdateProgress {
  readonly #reporter: Reporter;
  #told = performance.now();

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  begin(): void {
    this.#told = performance.now();
    this.#reporter.begin({ label: 'looking', unit: 'images' });
  }

  show(event: UpdateEvent): void {
    const reporter = this.#reporter;
    if (event.kind === 'looking') reporter.advance(event.found);
    else if (event.kind === 'begin') {
      reporter.begin({ label: 'indexing', unit: 'images', total: event.todo });
    } else if (event.kind === 'progress' || event.kind === 'commit') {
      reporter.advance(event.done);
      const now = performance.now();
      if (reporter.isTerminal || now - this.#told < millisecondsPerLine) return;
      this.#told = now;
      reporter.note(`${formatCount(event.done)} of ${formatCounted(event.todo, 'images')}`);
    }
  }
}

/** Shows work on an index and its outcome. Returns what to say about missing images. */
export async function follow(
  events: AsyncIterable<UpdateEvent>,
  target: ImageIndex | undefined,
  { index: uri, json }: { readonly index: string; readonly json?: boolean },
  { reporter, signal, print }: Context,
): Promise<LincirError | undefined> {
  const begin = performance.now();
  const progress = new UpdateProgress(reporter);
  let summary: UpdateSummary | undefined;
  let leftOut: LeftOut = {};
  let away: LincirError | undefined;
  progress.begin();
  try {
    for await (const event of events) {
      progress.show(event);
      if (event.kind === 'end') ({ summary, leftOut, away } = event);
    }
  } catch (error) {
    if (away === undefined || error !== away) throw error;
  } finally {
    reporter.end();
    if (signal.aborted) reporter.note(`what is done is in ${uri}: run the same command again to continue`);
  }
  const seconds = (performance.now() - begin) / 1000;
  const present = target ?? (await openIndex(uri));
  try {
    const broken = (await Array.fromAsync(present.broken())).flat();
    const { model } = present.info;
    if (json) print(JSON.stringify({ index: uri, model, ...summary!, seconds, broken, leftOut }));
    else tellOutcome({ summary: summary!, leftOut, broken, seconds, uri }, reporter);
  } finally {
    if (target === undefined) await present.close();
  }
  return away;
}

/** An update's outcome in lines for a person. */
export function tellOutcome(
  { summary, leftOut, broken, seconds, uri }: Outcome,
  reporter: Context['reporter'],
): void {
  tellLeftOut(leftOut, reporter);
  listBroken(broken.slice(0, brokenShown), reporter.note.bind(reporter));
  if (broken.length > brokenShown) {
    reporter.note(
      `${formatCount(broken.length - brokenShown)} more broken: lincir index --stats --index ${uri} lists them`,
    );
  }
  reporter.note(described(summary, broken.length, seconds, uri));
}

export function listBroken(broken: readonly BrokenImage[], print: (line: string) => void): void {
  for (const { path, reason } of broken) print(`broken: ${quoted(path, 4096).slice(1, -1)}: ${reason}`);
}

function described(summary: UpdateSummary, broken: number, seconds: number, uri: string): string {
  const { added, changed, renamed, removed, kept, unchanged, encoded, encodingSeconds } = summary;
  const pictures = formatCounted(added + changed + renamed + unchanged, 'images');
  const parts = [
    `${pictures} (${counted({ new: added, changed, renamed, removed, unchanged, 'missing, but kept': kept })})`,
    ...(broken > 0 ? [`${formatCount(broken)} broken`] : []),
    formatDuration(seconds),
    ...(encoded > 1 && encodingSeconds > 0 ? [formatRate(encoded / encodingSeconds, 'images')] : []),
  ];
  return `${parts.join(', ')} → ${uri}`;
}

/** The counts that are not 0, or `none`. */
export function counted(counts: Readonly<Record<string, number>>): string {
  const some = Object.entries(counts).filter(([, count]) => count > 0);
  return some.map(([name, count]) => `${formatCount(count)} ${name}`).join(', ') || 'none';
}
