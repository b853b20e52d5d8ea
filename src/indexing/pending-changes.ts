/** Changes that wait for an update: it begins when they are over, or have gone on for long. */

import { setTimeout as pause } from 'node:timers/promises';

export class PendingChanges {
  readonly #quiet: number;
  readonly #longest: number;
  #first: number | undefined;
  #last = 0;
  #wake = new AbortController();

  constructor(quiet: number, longest: number) {
    this.#quiet = quiet;
    this.#longest = longest;
  }

  get isDue(): boolean {
    return this.#first !== undefined;
  }

  note(): void {
    this.#last = performance.now();
    this.#first ??= this.#last;
    this.#wake.abort();
  }

  /** An update begins, and sees what has changed until now. */
  begin(): void {
    this.#first = undefined;
    this.#wake = new AbortController();
  }

  /**
   * Waits for changes, and then until they are over, but at most until a moment.
   * @param rest milliseconds in which nothing begins
   */
  async wait(until: number, rest: number, signal?: AbortSignal): Promise<void> {
    const earliest = performance.now() + rest;
    const calm = signal ?? new AbortController().signal;
    while (!calm.aborted) {
      const over =
        this.#first === undefined
          ? until
          : Math.max(earliest, Math.min(this.#last + this.#quiet, this.#first + this.#longest));
      const left = Math.ceil(Math.min(over, until) - performance.now());
      if (left <= 0) return;
      const awakened = this.#first === undefined ? AbortSignal.any([calm, this.#wake.signal]) : calm;
      await pause(left, undefined, { signal: awakened }).catch(() => {});
    }
  }
}
