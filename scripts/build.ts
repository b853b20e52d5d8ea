/** Makes `dist/`: the code and the page with what they need of the development dependencies, types, and ONNX Runtime for this platform. */

import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build, type Plugin } from 'esbuild';
import { build as buildPage } from 'vite';
import { buildForBrowsers } from './build-browser.ts';
import { addLibraryTypes, keepUsedTypes } from './library-types.ts';
import { copyRuntime, runtimeVersion } from './onnxruntime.ts';

const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');

/** What users install beside this package; all else becomes part of it. */
const { dependencies, optionalDependencies, exports } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
);

interface Entry {
  readonly types: string;
  readonly browser?: { readonly types: string };
}

/** All in one folder two levels down, from where files are found as they are from `src/FOLDER`. */
const entryPoints = {
  index: 'src/index.ts',
  core: 'src/core/index.ts',
  onnx: 'src/onnx/index.ts',
  clip: 'src/clip/index.ts',
  main: 'src/cli/main.ts',
  ...startedByName(),
};

const quickly = { [constants.BROTLI_PARAM_QUALITY]: 6, [constants.BROTLI_PARAM_LGWIN]: 24 };

/** Places where files are found at run time in ways that no bundler follows. */
const found: Plugin = {
  name: 'found',
  setup({ onLoad }) {
    // LanceDB takes batches of the very Arrow that it uses, the CommonJS one.
    onLoad({ filter: /store.lance.rows\.ts$/ }, ({ path }) => ({
      loader: 'ts',
      contents: changed(path, [/createRequire\(import\.meta\.url\)\(/, 'require(']),
    }));
    const loader = JSON.stringify(join(root, 'src/runtime/binding.ts'));
    onLoad({ filter: /onnxruntime-node.dist.binding\.js$/ }, ({ path }) => ({
      contents: changed(path, [/require\(`[^`]*`\)/, `require(${loader}).loadBinding('${runtimeVersion}')`]),
    }));
    // A quarter of its 3 MB, and read as JSON, which is quicker than as code.
    onLoad({ filter: /eng-core-web-model\.json$/ }, ({ path }) => {
      writeFileSync(
        join(dist, 'lib/english.json.br'),
        brotliCompressSync(readFileSync(path), { params: quickly }),
      );
      // Out of the bundler's sight, since it would look for the file itself.
      const unpacked = `require('node:zlib').brotliDecompressSync(require('node:fs').readFileSync(find.resolve('./english.json.br')))`;
      return { loader: 'js', contents: `const find = require; module.exports = JSON.parse(${unpacked});` };
    });
    onLoad({ filter: /decoding.magick-decode\.ts$/ }, ({ path }) => {
      const wasm = readFileSync(join(root, 'node_modules/@imagemagick/magick-wasm/dist/x86/magick.wasm'));
      writeFileSync(join(dist, 'lib/magick.wasm.br'), brotliCompressSync(wasm, { params: quickly })); // 5 of 15 MB
      return {
        loader: 'ts',
        contents: changed(
          path,
          [/import\.meta\.resolve\([^)]*\)/, `new URL('./magick.wasm.br', import.meta.url)`],
          [
            /await readFile\(file\)/,
            `(await import('node:zlib')).brotliDecompressSync(await readFile(file))`,
          ],
        ),
      };
    });
  },
};

rmSync(dist, { recursive: true, force: true });
mkdirSync(join(dist, 'lib'), { recursive: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints,
  outdir: 'dist/lib',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.18',
  external: [
    ...Object.keys({ ...dependencies, ...optionalDependencies }),
    '*.node',
    ...['@lancedb/lancedb-*', '@huggingface/transformers', 'openai'], // LanceDB asks for these where they are installed
  ],
  plugins: [found],
  // For the libraries that are CommonJS.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module';\nconst require = requireFrom(import.meta.url);",
  },
  // Names stay, for whoever reads where an error comes from.
  ...{ minifyWhitespace: true, minifySyntax: true, minifyIdentifiers: true, keepNames: true, lineLimit: 500 }, // 2 MB less
  legalComments: 'none', // every licence is in the notices
  metafile: true,
});
// The client runs in browsers, too.
await build({
  absWorkingDir: root,
  entryPoints: { client: 'src/api/client.ts' },
  outdir: 'dist/lib',
  bundle: true,
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
});
const browserFiles = await buildForBrowsers(root, join(dist, 'browser'));
const page = await buildPage({ configFile: join(root, 'web/vite.config.ts') });
const pageModules = [page]
  .flat()
  .flatMap((built) => ('output' in built ? built.output : []))
  .flatMap((output) => (output.type === 'chunk' ? output.moduleIds : []));
const swagger = ['swagger-ui-bundle.js', 'swagger-ui.css'].map(
  (name) => `node_modules/swagger-ui-dist/${name}`,
);
mkdirSync(join(dist, 'swagger-ui'));
for (const file of swagger) {
  const packed = gzipSync(readFileSync(join(root, file)), { level: 9 });
  writeFileSync(join(dist, 'swagger-ui', `${basename(file)}.gz`), packed);
}
const inputs = [
  ...Object.keys(metafile.inputs),
  ...browserFiles,
  ...pageModules.map((id) => relative(root, id)),
  ...swagger,
];
writeFileSync(join(dist, 'THIRD-PARTY-NOTICES.txt'), notices(inputs));
for (const project of ['tsconfig.build.json', 'tsconfig.build.browser.json']) {
  execFileSync('tsc', ['-p', project], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
}
addLibraryTypes(join(dist, 'types'), join(root, 'node_modules'));
const entries = Object.entries<Entry>(exports);
for (const [entry, { types, browser }] of entries) {
  if (entry === './client') continue; // It needs nothing of Node's.
  // TypeScript 6 and later take no global types that nobody asks for. Nobody asks for Node's in a page.
  const path = join(root, types);
  const text = readFileSync(existsSync(path) ? path : join(root, browser!.types), 'utf8');
  writeFileSync(path, `/// <reference types="node" />\n${text}`);
}
keepUsedTypes(
  join(dist, 'types'),
  entries
    .flatMap(([, { types, browser }]) => [types, ...(browser ? [browser.types] : [])])
    .map((path) => join(root, path)),
);
// For a package that is installed from its file; one from a registry has it from a package of its own (scripts/release.ts).
const platform = `${process.platform}-${process.arch}`;
copyRuntime(platform, join(dist, 'onnxruntime', platform));

/** Modules that are threads or processes of their own: the code names them so that it finds them with either ending. */
function startedByName(): Record<string, string> {
  const files = globSync('src/**/*.ts', { cwd: root });
  const named = files.flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/new URL\(`\.\/([\w-]+)\$\{/g)].map(([, name]) => [
      name!,
      join(dirname(file), `${name}.ts`),
    ]),
  );
  return Object.fromEntries(named);
}

function changed(path: string, ...changes: readonly [RegExp, string][]): string {
  return changes.reduce(
    (text, [pattern, replacement]) => {
      if (!pattern.test(text))
        throw new Error(`${path}: no ${pattern} any more: look at what scripts/build.ts does`);
      return text.replace(pattern, () => replacement);
    },
    readFileSync(path, 'utf8'),
  );
}

/** Name, version and licences of every package that inputs are of. Packages with the same text share it. */
function notices(inputs: readonly string[]): string {
  const folders = new Set(inputs.map((input) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(input)?.[0]));
  const named = new Map<string, string[]>();
  for (const folder of [...folders].filter((folder) => folder !== undefined).sort()) {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const files = readdirSync(join(root, folder)).filter((file) =>
      /^(licen[cs]e|notice|copying)/i.test(file),
    );
    const text = files.map((file) => readFileSync(join(root, folder, file), 'utf8')).join('\n');
    named.set(text, [...(named.get(text) ?? []), `${name} ${version} (${license})`]);
  }
  const texts = Array.from(named, ([text, names]) => `${names.join('\n')}\n\n${text}`);
  return `The code in lib/, browser/, web/ and swagger-ui/ has these packages in it, unchanged but for being put together.\n\n${texts.join(`\n${'-'.repeat(80)}\n\n`)}`;
}
