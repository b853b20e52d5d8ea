/** Types of bundled libraries. Our declarations use them, and users of the package have only these. */

import { cpSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const files = [
  ...['zod/index.d.ts', 'zod/v4/{classic,core,locales}/*.d.ts'],
  ...['sharp/dist/index.d.mts', '@img/colour/index.d.ts'],
  ...['hyparquet/types/*.d.ts', 'hyparquet/src/types.d.ts'],
];

/** What the libraries are called by, and where that is. */
const places: readonly (readonly [RegExp, string])[] = [
  [/^zod$/, 'zod/index.js'],
  [/^sharp$/, 'sharp/dist/index.mjs'],
  [/^@img\/colour$/, '@img/colour/index.js'],
  [/^hyparquet$/, 'hyparquet/types/node.js'],
  [/^hyparquet\/src\//, 'hyparquet/types/'],
];

/**
 * @param types a folder of declarations, into which those of the libraries come
 * @param modules the folder node_modules
 */
export function addLibraryTypes(types: string, modules: string): void {
  for (const file of globSync(files, { cwd: modules })) cpSync(join(modules, file), join(types, file));
  for (const file of globSync('*/**/*.d.{ts,mts}', { cwd: types, exclude: ['zod'] })) {
    const path = join(types, file);
    const up = relative(dirname(file), '.').replaceAll('\\', '/');
    const placed = (all: string, before: string, name: string) => {
      const [pattern, place] = places.find(([known]) => known.test(name)) ?? [];
      return pattern ? `${before}'${up}/${name.replace(pattern, place!)}'` : all;
    };
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(/(from |import\()'([^.'][^']*)'/g, placed));
  }
}
