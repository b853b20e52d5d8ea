/** Refuses a second value for an option that takes one. */

import type { Command } from 'commander';

/** Lets no command take the last of several values for an option that has one. */
export function refuseTwice(command: Command): void {
  for (const option of command.options) {
    if (option.isBoolean() || option.variadic) continue;
    let isGiven = false;
    command.on(`option:${option.name()}`, () => {
      if (isGiven) command.error(`error: ${option.long} is given twice, and takes one value`);
      isGiven = true;
    });
  }
  for (const other of command.commands) refuseTwice(other as Command);
}
