/** Refuses options that would have no effect, or that do not go together: whoever gave them expects an effect. */

import { LincirError, type Problem } from '../core/index.ts';

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

/**
 * Refuses options that do not go with another one.
 * @param others their values, by names as the library has them
 * @throws LincirError 'bad-argument' for the first one that was given
 */
export function refuseBeside(
  subject: string,
  others: Readonly<Record<string, unknown>>,
  problem: Pick<Problem, 'expected' | 'todo'>,
): void {
  const [found] = Object.entries(others).find(([, value]) => value !== undefined && value !== false) ?? [];
  if (found === undefined) return;
  const flag = `--${found.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new LincirError('bad-argument', { subject, ...problem, found: flag });
}
