/** What main lends to a command, so that only main prints, and messages that commands share. */

import {
  type DownloadProgress,
  formatBytes,
  formatCount,
  type LicensedDownloadOptions,
} from '../core/index.ts';
import type { Reporter } from './terminal/progress.ts';

export interface Context {
  /** Writes a line for programs, to standard output. */
  readonly print: (line: string) => void;
  /** Lines and progress for people, on standard error. */
  readonly reporter: Reporter;
  /** A message of the library in the words of the command that runs. */
  readonly told: (message: string) => string;
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal;
}

/** Resolves when the user interrupts. */
export function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** How many warnings of one kind are printed; the others are counted. */
const warningsShown = 5;

/** Bytes of a download that is told of where no bar is shown. */
const largeDownload = 50e6;

/** Shows a download as one progress bar for all of a model's files; a large one as a line, if there is no terminal. */
export function downloadBar(reporter: Reporter, model: string): (progress: DownloadProgress) => void {
  let isTold = reporter.isTerminal;
  return ({ allReceivedBytes: done, allTotalBytes: total }) => {
    if (!isTold && total - done > largeDownload) {
      isTold = true;
      reporter.note(`downloading ${model}: ${formatBytes(total - done)}`);
    }
    reporter.progress({ label: `downloading ${model}`, unit: 'bytes', total, begun: done }, done);
  };
}

/** Shows a phi's download in the same way, after its licence. */
export function phiDownload(reporter: Reporter): Pick<LicensedDownloadOptions, 'onProgress' | 'onLicence'> {
  return { onProgress: downloadBar(reporter, 'phi'), onLicence: (notice) => reporter.note(notice) };
}

/** Warnings of one kind: the first few are printed, the others counted. */
export class Warnings {
  readonly #reporter: Reporter;
  readonly #others: string;
  count = 0;

  /** @param others what `finish` says after the number of those not printed */
  constructor(reporter: Reporter, others: string) {
    this.#reporter = reporter;
    this.#others = others;
  }

  add(line: string): void {
    this.count += 1;
    if (this.count <= warningsShown) this.#reporter.note(`warning: ${line}`);
  }

  finish(): void {
    const more = this.count - warningsShown;
    if (more <= 0) return;
    const others = more === 1 ? this.#others.replace(/^(\w+)s are /, '$1 is ') : this.#others;
    this.#reporter.note(`warning: ${formatCount(more)} more ${others}`);
  }
}
