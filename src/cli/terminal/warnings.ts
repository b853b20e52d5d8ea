/** Prints the library's warnings as lines of ours. */

import { warningName } from '../../files/index.ts';
import type { Reporter } from './progress.ts';

/** Node goes on printing others. */
export function tellWarnings(reporter: Reporter): void {
  const others = process.listeners('warning');
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (warning.name === warningName) reporter.note(`warning: ${warning.message}`);
    else for (const tell of others) tell(warning);
  });
}
