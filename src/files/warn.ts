/** Tells of what users may want to change, while the work goes on. */

/** By it, a listener of `process` knows these warnings among Node's. */
export const warningName = 'LincirWarning';

export function warn(message: string): void {
  process.emitWarning(message, warningName);
}
