/** Finds images by the names that people use: the index's path or the system's, in any Unicode form. */

import { nameKey } from '../core/index.ts';
import { indexPath } from '../pictures/index.ts';

/** Forms in which the index may have a name: as it is, or as a path of this system. */
export function pathsOf(name: string): readonly string[] {
  return [...new Set([name, indexPath(name)])];
}

/** Those of any number of pictures that are named. */
export async function namedAmong<Kind extends { readonly path: string }>(
  names: readonly string[],
  pictures: AsyncIterable<readonly Kind[]>,
): Promise<Kind[]> {
  const keys = new Set(names.flatMap(pathsOf).map(nameKey));
  const equivalent: Kind[] = [];
  for await (const batch of pictures) {
    equivalent.push(...batch.filter(({ path }) => keys.has(nameKey(path))));
  }
  return namedBy(names, equivalent);
}

/** Those of `pictures` that are named. A name means the image with exactly this name, or else one with an equivalent name. */
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
