/** Images by what people call them: a path as the index has it or as the system does, in any of Unicode's forms. */

import { nameKey } from '../core/index.ts';
import { indexPath } from '../pictures/index.ts';

/** A name as the index may have it: as it is, or as a path of this system. */
export function pathsOf(name: string): readonly string[] {
  return [...new Set([name, indexPath(name)])];
}

/** Those of `pictures` that are named: each name means what is written as it is, or else what is equivalent to it. */
export function namedBy<Kind extends { readonly path: string }>(
  names: readonly string[],
  pictures: readonly Kind[],
): Kind[] {
  const byKey = Map.groupBy(pictures, ({ path }) => nameKey(path));
  const named = names.flatMap((name) => {
    const paths = pathsOf(name);
    const equivalent = new Set(paths.flatMap((path) => byKey.get(nameKey(path)) ?? []));
    const written = [...equivalent].filter(({ path }) => paths.includes(path));
    return written.length > 0 ? written : [...equivalent];
  });
  return [...new Set(named)];
}
