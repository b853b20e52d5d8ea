/** In place of `node:path`, for tests that run in pages. */

export const join = (...parts: readonly string[]): string => parts.join('/');
