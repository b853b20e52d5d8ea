/** Options that could change nothing beside the others: they are refused, since whoever gave them meant something. */

import { LincirError } from '../core/index.ts';

/**
 * @param rules an option's name and value, whether it would be of use, and what for; a value that is undefined or false was not given
 * @throws LincirError 'bad-argument' for the first option that was given and is of no use
 */
export function refuseIdle(
  rules: readonly (readonly [option: string, value: unknown, isOfUse: boolean, needs: string])[],
): void {
  for (const [option, value, isOfUse, needs] of rules) {
    if (value === undefined || value === false || isOfUse) continue;
    throw new LincirError('bad-argument', {
      subject: option,
      expected: needs,
      found: 'that it would change nothing',
      todo: 'leave it out, or give what it is for',
    });
  }
}
