/** Work that goes on while other things happen. */

import { setTimeout as pause } from 'node:timers/promises';

/** Does something again and again until the signal. */
export class Loop {
  /** How often it succeeded. */
  done = 0;
  readonly ended: Promise<void>;

  constructor(signal: AbortSignal, milliseconds: number, once: () => Promise<boolean>) {
    this.ended = (async () => {
      while (!signal.aborted) {
        if (await once()) this.done += 1;
        await pause(milliseconds);
      }
    })();
  }
}
