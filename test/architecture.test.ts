/** Holds the house in order: folders import only from those below them, and only through their doors. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { test } from 'node:test';

/** In import order: each may import from those before it. */
const folders = [
  'core',
  'files',
  'pixels',
  'decoding',
  'html',
  'tables',
  'hub',
  'onnx',
  'runtime',
  'browser',
  'clip',
  'captions',
  'phi',
  'composition',
  'mini',
  'training',
  'check',
  'store',
  'pictures',
  'indexing',
  'search',
  'benchmarks',
  'publishing',
  'api',
  'service',
  'server',
  'cli',
];
const source = resolve(import.meta.dirname, '../src');

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => ({
    path,
    folder: path.includes(sep) ? path.split(sep)[0]! : '',
    text: readFileSync(join(source, path), 'utf8'),
  }));

test('every folder of src has its place in the order', () => {
  const found = new Set(files.map(({ folder }) => folder).filter((folder) => folder !== ''));
  assert.deepEqual(
    [...found].filter((folder) => !folders.includes(folder)),
    [],
  );
});

test('imports go to lower folders, through their doors', () => {
  for (const { path, folder, text } of files) {
    for (const [, target] of text.matchAll(/from '(\.{1,2}\/[^']+)'/g)) {
      const imported = relative(source, resolve(source, dirname(path), target!));
      if (imported.startsWith('..')) {
        assert.ok(path.endsWith('.test.ts'), `${path} leaves src for ${target}`);
        continue;
      }
      const other = imported.includes(sep) ? imported.split(sep)[0]! : '';
      if (other === folder) continue;
      assert.ok(
        /^[^/]+\/(index|choices|portable)\.ts$/.test(imported.replaceAll(sep, '/')) || other === '',
        `${path} imports ${imported} past its doors`,
      );
      const allowed = folder === '' || folders.indexOf(other) < folders.indexOf(folder);
      assert.ok(allowed || path.endsWith('.test.ts'), `${path} imports ${imported}, which stands above it`);
    }
  }
});

/** These compute, on any platform: what a platform has, they get through `imports` in package.json. */
const pure = ['core', 'pixels', 'onnx', 'clip', 'phi', 'composition', 'api'];
const portable = /^(#runtime|#decode|#kept|#models|zod|protobufjs(\/.*)?|@huggingface\/tokenizers)$/;

test('pure folders know no runtime', () => {
  for (const { path, folder, text } of files) {
    if (!pure.includes(folder) || path.endsWith('.test.ts')) continue;
    const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/ .*/g, '');
    for (const [, target] of code.matchAll(/(?:from|import\(?) ?'([^']+)'/g)) {
      const imported = relative(source, resolve(source, dirname(path), target!)).split(sep)[0]!;
      const isPure = target!.startsWith('.') ? pure.includes(imported) : portable.test(target!);
      assert.ok(isPure, `${path} imports ${target}`);
    }
    const [global] = code.match(/\b(process\.|Buffer\b|NodeJS\.|require\(|import\.meta\b)/) ?? [];
    assert.equal(global, undefined, `${path} uses ${global}, which not every platform has`);
  }
});

/** Doors to what needs no platform, of folders that need one. The rest of what these doors lead to is pure, too. */
const portableDoors = ['captions', 'files', 'hub', 'mini', 'pictures', 'store', 'training'].map(
  (folder) => `${folder}/portable.ts`,
);

test('portable doors lead to nothing that needs a platform', () => {
  const texts = new Map(files.map(({ path, text }) => [path.replaceAll(sep, '/'), text]));
  const reached = new Set(portableDoors);
  for (const path of reached) {
    const code = texts.get(path)!.replaceAll(/\/\*[\s\S]*?\*\/|\/\/ .*/g, '');
    for (const [, target] of code.matchAll(
      /^(?:import|export|\}) (?!type\b)(?:[^;]*? )?from '([^']+)';$/gm,
    )) {
      if (!target!.startsWith('.')) {
        assert.match(target!, portable, `${path} imports ${target}`);
        continue;
      }
      const imported = relative(source, resolve(source, dirname(path), target!)).replaceAll(sep, '/');
      if (!pure.includes(imported.split('/')[0]!)) reached.add(imported);
    }
    const [global] = code.match(/\b(process\.|Buffer\b|NodeJS\.|require\(|import\.meta\b)/) ?? [];
    assert.equal(global, undefined, `${path} uses ${global}, which not every platform has`);
  }
  assert.ok(reached.size > 20);
});

test('what users choose from by name loads no library, for --help is to be quick', () => {
  const texts = new Map(files.map(({ path, text }) => [path.replaceAll(sep, '/'), text]));
  const loaded = new Set([...texts.keys()].filter((path) => path.endsWith('/choices.ts')));
  assert.ok(loaded.size > 6);
  for (const path of loaded) {
    for (const [, target] of texts
      .get(path)!
      .matchAll(/^(?:import|export|\}) (?!type\b).*from '([^']+)';$/gm)) {
      if (target!.startsWith('node:') || target === 'zod') continue;
      const imported = relative(source, resolve(source, dirname(path), target!)).replaceAll(sep, '/');
      assert.ok(texts.has(imported), `${path} imports ${target}`);
      if (imported.startsWith('core/') || imported.startsWith('files/')) continue;
      assert.equal(imported.split('/')[0], path.split('/')[0], `${path} imports ${imported}`);
      loaded.add(imported);
    }
  }
});

test('JSON out of files is parsed at one door, which bounds it', () => {
  // These parse what they have just written, or this package's own file.
  const others = ['core/json.ts', 'benchmarks/submission.ts', 'cli/main.ts'];
  const parsing = files.filter(
    ({ path, text }) => !path.endsWith('.test.ts') && text.includes('JSON.parse('),
  );
  assert.deepEqual(parsing.map(({ path }) => path.replaceAll(sep, '/')).sort(), others.sort());
});

test('files say what they are for, and stay short', () => {
  for (const { path, text } of files) {
    assert.match(text, /^(#!.*\n)?\/\*\* /, `${path}: the first line is a sentence on what the file is for`);
    const lines = text.split('\n').length;
    assert.ok(lines <= 401 || path.endsWith('.test.ts'), `${path} has ${lines} lines: look for the seam`);
  }
});

test('only the command line speaks of its flags', () => {
  const flagsOf = (text: string) =>
    [...text.matchAll(/(?<![\w-])--([a-z][a-z-]+)/g)].map(([, flag]) => flag!);
  const isCli = ({ folder, path }: (typeof files)[number]) => folder === 'cli' && !path.endsWith('.test.ts');
  const options = files
    .filter(isCli)
    .flatMap(({ text }) => text.match(/(?<=[oO]ption\(\s*)'--[^']*'/g) ?? []);
  const known = new Set(options.flatMap(flagsOf));
  assert.ok(known.size > 60);
  // A model card shows its readers commands to type.
  const shown = ['publishing/usage.ts'];
  for (const { path, folder, text } of files) {
    if (folder === 'cli' || path.endsWith('.test.ts') || shown.includes(path.replaceAll(sep, '/'))) continue;
    const told = text.replaceAll(/var\(--[\w-]+|--[\w-]+(?=: )/g, ''); // the properties of style sheets
    for (const flag of flagsOf(told))
      assert.ok(!known.has(flag), `${path} speaks of --${flag}: see core's option()`);
  }
});
