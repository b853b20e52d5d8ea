/** Refuses options that would have no effect: whoever gave them expects one. */

import { LincirError } from '../core/index.ts';

/**
 * @param rules an option's name and value, whether it has an effect, and what it needs for one. A value that is undefined or false was not given.
 * @throws LincirError 'bad-argument' for the first option that was given and has no effect
 */
export function refuseIdle(
  rules: readonly (readonly [option: string, value: unknown, isOfUse: boolean, needs: string])[],
): void {
  for (const [option, value, isOfUse, needs] of rules) {
    if (value === undefined || value === false || isOfUse) continue;
    throw new LincirError('bad-argument', {
      subject: option,
      expected: needs,
      found: 'an option without effect',
      todo: 'leave it out, or add what it needs',
    });
  }
}
