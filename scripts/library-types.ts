/** The package's declarations: those of bundled libraries come to ours, and what no entry leads to goes. */

import { execFileSync } from 'node:child_process';
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const files = [
  ...['zod/index.d.ts', 'zod/v4/{classic,core}/*.d.ts'],
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
  // Messages in other languages are a third of zod's declarations, and nothing here has them.
  for (const part of ['classic/external', 'core/index']) {
    const path = join(types, `zod/v4/${part}.d.ts`);
    writeFileSync(path, readFileSync(path, 'utf8').replace(/^export \* as locales .*\n/m, ''));
  }
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

/** Removes declarations that no entry of the package leads to, by what TypeScript reads of them. */
export function keepUsedTypes(types: string, entries: readonly string[]): void {
  const options = ['--listFilesOnly', '--ignoreConfig', '--module', 'nodenext', '--types', 'node'];
  const isWindows = process.platform === 'win32';
  const listed = execFileSync('tsc', [...options, ...entries], { encoding: 'utf8', shell: isWindows });
  const used = new Set(listed.split(/\r?\n/).map((path) => resolve(path)));
  for (const file of globSync('**/*.d.{ts,mts}', { cwd: types })) {
    const path = join(types, file);
    if (!used.has(path)) rmSync(path);
  }
}
