/** Prints lines on standard error, and below them a progress bar while work goes on. */

import { formatBytes, formatCount, formatDuration, formatRate } from '../../core/index.ts';

/** Work that goes on, in images, texts, bytes or steps. */
export interface Work {
  readonly label: string;
  readonly unit: 'images' | 'texts' | 'captions' | 'queries' | 'bytes' | 'steps';
  /** Missing if it is unknown. */
  readonly total?: number;
  /** Done before; does not count in the rate. */
  readonly begun?: number;
}

/** The parts of a stream that are needed. Only a terminal gets bars. */
interface LineStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Escape sequence that returns to the start of the line and removes the bar. */
const clearLine = '\r\x1b[K';
const barWidth = 24;
const redrawMilliseconds = 100;

/** Owns the last line of a terminal. Without a terminal there are only lines. */
export class Reporter {
  readonly #stream: LineStream;
  readonly #now: () => number;
  #bar:
    | { readonly work: Work; readonly since: number; done: number; details: string; drawn: number }
    | undefined;

  /** Whether bars are shown. */
  get isTerminal(): boolean {
    return this.#stream.isTTY === true;
  }

  /** @param now milliseconds */
  constructor(stream: LineStream, now: () => number = () => performance.now()) {
    this.#stream = stream;
    this.#now = now;
  }

  /** Prints a line, above the bar if there is one. */
  note(line: string): void {
    this.#clear();
    this.#stream.write(`${line}\n`);
    this.#draw();
  }

  begin(work: Work): void {
    this.end();
    const now = this.#now();
    this.#bar = { work, since: now, done: work.begun ?? 0, details: '', drawn: now };
    this.#draw();
  }

  /** Moves the bar of this work, or begins it. */
  progress(work: Work, done: number): void {
    if (this.#bar?.work.label !== work.label) this.begin(work);
    this.advance(done);
  }

  /**
   * Moves the bar, at most ten times a second.
   * @param details shown instead of the rate
   */
  advance(done: number, details = ''): void {
    if (this.#bar === undefined) return;
    this.#bar.done = done;
    this.#bar.details = details;
    const now = this.#now();
    if (now - this.#bar.drawn < redrawMilliseconds && done !== this.#bar.work.total) return;
    this.#bar.drawn = now;
    this.#draw();
  }

  /** Takes the bar away. */
  end(): void {
    this.#clear();
    this.#bar = undefined;
  }

  #clear(): void {
    if (this.#bar !== undefined && this.#stream.isTTY) this.#stream.write(clearLine);
  }

  #draw(): void {
    if (this.#bar === undefined || !this.#stream.isTTY) return;
    const { work, since, done, details } = this.#bar;
    const line = barLine(work, done, (this.#now() - since) / 1000, details);
    // A line that wraps could not be removed.
    this.#stream.write(clearLine + line.slice(0, (this.#stream.columns ?? 80) - 1));
  }
}

/** The bar as text, `seconds` after it began. */
export function barLine(
  { label, unit, total, begun = 0 }: Work,
  done: number,
  seconds: number,
  details = '',
): string {
  const amount = unit === 'bytes' ? formatBytes : formatCount;
  const parts = [`${label} ${amount(done)} ${unit}`];
  if (total !== undefined) {
    const filled = total === 0 ? barWidth : Math.round((barWidth * done) / total);
    const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled);
    parts[0] = `${label} ${bar} ${amount(done)} of ${amount(total)}`;
  }
  const rate = (done - begun) / seconds;
  if (done > begun && seconds > 0) {
    parts.push(details || (unit === 'bytes' ? `${formatBytes(rate)}/s` : formatRate(rate, unit)));
    if (total !== undefined && done < total) parts.push(`${formatDuration((total - done) / rate)} left`);
  }
  return parts.join(', ');
}
