/** Decides what of a folder or shard is left out: places where nobody keeps images, and what `exclude` matches. */

import { matchesGlob, posix } from 'node:path';
import { nameKey } from '../core/index.ts';
import { isSystemName } from './endings.ts';

/**
 * Whether something is left out, by its path below a folder or in a shard.
 * @param patterns glob patterns. Without a slash, they match a name anywhere, else a path below the folder.
 */
export function exclusion(patterns: readonly string[] = []): (below: string) => boolean {
  const excluded = patterns.map((given) => {
    const pattern = nameKey(given).replace(/\/$/, '');
    return { isPath: pattern.includes('/'), pattern: pattern.replace(/^(?:\.\/)+/, '') };
  });
  return (path) => {
    const below = nameKey(path);
    const name = posix.basename(below);
    return (
      isSystemName(name) ||
      excluded.some(({ isPath, pattern }) => matchesGlob(isPath ? below : name, pattern))
    );
  };
}

/** Whether a path, or a folder above it, is left out. */
export function isWithinLeftOut(below: string, isLeftOut: (below: string) => boolean): boolean {
  for (let end = below.indexOf('/'); end >= 0; end = below.indexOf('/', end + 1)) {
    if (isLeftOut(below.slice(0, end))) return true;
  }
  return isLeftOut(below);
}
