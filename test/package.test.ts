/** The package as users get it: packed, installed into an empty folder, run, imported, and its types checked. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { noBrowser } from './page/browser.ts';
import { copyExample, expectAnswers } from './web-example.ts';

const root = resolve(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'lincir-package-'));
const installed = join(folder, 'node_modules');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** This Node and, if it is named, the oldest that users may have. With that one, npm installs the package. */
const nodes = [...new Set([process.env.LINCIR_TEST_NODE ?? process.execPath, process.execPath])];
const pathWith = (node: string) => [dirname(resolve(node)), process.env.PATH].join(delimiter);
const env: NodeJS.ProcessEnv = {
  // What npm tells the scripts that it runs, a user's npm does not hear.
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_|^NODE_OPTIONS$/i.test(name))),
  PATH: pathWith(nodes[0]!),
};

const run = async (
  command: string,
  args: readonly string[],
  cwd = folder,
  others: NodeJS.ProcessEnv = {},
): Promise<string> => {
  const { stdout } = await promisify(execFile)(command, args, {
    cwd,
    env: { ...env, ...others },
    maxBuffer: 2 ** 26,
    shell: process.platform === 'win32',
  });
  return stdout;
};

/** One red pixel in a format that WebAssembly decodes, whose file has to be found. */
const redBitmap = Buffer.from(
  'Qk06AAAAAAAAADYAAAAoAAAAAQAAAAEAAAABABgAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAD/AA==',
  'base64',
);

let packed: readonly string[];
/** Why there is nothing to test. */
let unreachable: string | undefined;

before(async () => {
  const [tarball] = JSON.parse(
    await run('npm', ['pack', '--json', '--silent', '--pack-destination', folder], root),
  );
  packed = tarball.files.map(({ path }: { path: string }) => path);
  try {
    await run('npm', ['install', join(folder, tarball.filename)]);
  } catch (error) {
    const { stderr } = error as { stderr: string };
    if (!/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT/.test(stderr)) throw error;
    unreachable = 'skipped: npm cannot reach its registry, from which the dependencies come';
  }
});
after(() => rmSync(folder, { recursive: true, force: true }));

test('holds what its documents link to, and no more than it needs', () => {
  for (const document of packed.filter((path) => path.endsWith('.md'))) {
    const text = readFileSync(join(root, document), 'utf8');
    for (const [, link] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      const path = join(dirname(document), link!).replaceAll('\\', '/');
      assert.ok(
        packed.some((file) => file === path || file.startsWith(`${path}/`)),
        `${document} links to ${path}`,
      );
    }
  }
  for (const name of [
    'LICENSE',
    'dist/THIRD-PARTY-NOTICES.txt',
    `dist/onnxruntime/${process.platform}-${process.arch}/LICENSE`,
  ])
    assert.ok(packed.includes(name), name);
  assert.deepEqual(
    packed.filter(
      (path) => /\.test\.|\.ts$(?<!\.d\.ts)|training-log/.test(path) && !path.startsWith('examples/'),
    ),
    [],
  );
});

test('brings at most 250 MB, and nothing that runs while it is installed', (context) => {
  if (unreachable) return context.skip(unreachable);
  const { packages } = JSON.parse(readFileSync(join(installed, '.package-lock.json'), 'utf8'));
  const withScripts = Object.keys(packages).filter((name) => packages[name].hasInstallScript);
  assert.deepEqual(withScripts, []);
  const files = readdirSync(installed, { recursive: true, encoding: 'utf8' });
  const blocks = files.reduce(
    (sum, file) => sum + Math.ceil(lstatSync(join(installed, file)).size / 4096),
    0,
  );
  const size = (blocks * 4096) / 2 ** 20; // as `du -m` counts
  context.diagnostic(`${size.toFixed(0)} MB in ${files.length} files`);
  assert.ok(size <= 250, `${size} MB`);
});

for (const [at, node] of nodes.entries()) {
  const which = at === 0 ? 'on the Node that it was installed with' : 'on this Node';
  const place = join(folder, `node-${at}`);
  const npx = (...args: string[]) => run('npx', args, place, { PATH: pathWith(node) });

  test(`runs as a command ${which}: embeds, indexes and searches, in workers and with the model that comes along`, async (context) => {
    if (unreachable) return context.skip(unreachable);
    cpSync(join(root, 'examples/pictures'), join(place, 'pictures'), { recursive: true });
    assert.equal(await npx('lincir', '--version'), `${manifest.version}\n`);
    writeFileSync(join(place, 'red.bmp'), redBitmap);
    const images = ['pictures', 'red.bmp'];
    await npx('lincir', 'embed', '--model', 'mini', '--images', ...images, '--out', 'out.jsonl');
    const embedded = readFileSync(join(place, 'out.jsonl'), 'utf8').trim().split('\n');
    assert.equal(embedded.length, readdirSync(join(place, 'pictures')).length + 1);
    await npx('lincir', 'index', 'pictures', '--index', 'pictures.lance', '--model', 'mini');
    const image = join('pictures', 'house-with-red-roof.png');
    const asked = ['--index', 'pictures.lance', '--image', image, '--include-reference', '--paths'];
    const [nearest] = (await npx('lincir', 'search', ...asked)).split('\n');
    assert.equal(nearest, resolve(place, image));
    writeFileSync(join(place, 'captions.txt'), 'a red house\na white sailboat at dusk\na black cat\n');
    const training = ['--captions', 'captions.txt', '--out', 'run', '--steps', '1', '--batch', '2'];
    await npx('lincir', 'train', '--model', 'mini', ...training);
  });

  test(`is a library ${which}, with one instance of what its entries share`, async (context) => {
    if (unreachable) return context.skip(unreachable);
    const program = `
      import 'lincir/clip';
      import { LincirError as SameError } from 'lincir/core';
      import 'lincir/onnx';
      import { LincirError, loadClip } from 'lincir';
      const clip = await loadClip('mini');
      const { shape } = await clip.encodeTexts(['a red house']);
      console.log(process.version, shape.join(), LincirError === SameError);
    `;
    writeFileSync(join(folder, 'program.mjs'), program);
    const version = (await run(node, ['--version'])).trim();
    assert.equal(
      await run('node', ['program.mjs'], folder, { PATH: pathWith(node) }),
      `${version} 1,256 true\n`,
    );
  });
}

test('says in one line which Node it needs, with any older one', async (context) => {
  if (unreachable) return context.skip(unreachable);
  const older = join(folder, 'older.cjs');
  writeFileSync(older, `Object.defineProperty(process, 'versions', { value: { node: '20.20.2' } });`);
  const launcher = join(installed, 'lincir', manifest.bin.lincir);
  await assert.rejects(run(process.execPath, ['--require', older, launcher, '--version']), {
    code: 1,
    stdout: '',
    stderr: 'lincir: it needs Node 22.18 or newer, and this is Node 20.20.2\n',
  });
});

for (const [module, moduleResolution] of [
  ['nodenext', 'nodenext'],
  ['esnext', 'bundler'],
]) {
  test(`has types that need nothing else, for ${moduleResolution}`, async (context) => {
    if (unreachable) return context.skip(unreachable);
    const types = join(folder, `types-${moduleResolution}`);
    mkdirSync(types);
    const program = `
      import type { TrainingSettingsInput } from 'lincir';
      ${Object.keys(manifest.exports)
        .map((entry) => `import '${entry.replace('.', 'lincir')}';`)
        .join('\n')}
      export const settings: TrainingSettingsInput = { model: 'mini', captions: [], steps: 1 };
      // @ts-expect-error: nothing is called so
      settings.stepps;
    `;
    writeFileSync(join(types, 'program.mts'), program);
    const compilerOptions = {
      ...{ module, moduleResolution, target: 'es2022', strict: true, skipLibCheck: false, noEmit: true },
      types: [],
    };
    writeFileSync(join(types, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.mts'] }));
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    await run(process.execPath, [compiler, '-p', types]).catch(({ stdout }) => assert.fail(stdout));
  });
}

for (const [where, lib, types] of [
  ['Node', ['es2022'], ['node']],
  ['browsers', ['es2022', 'dom'], []],
] as const) {
  test(`has types of the client that need nothing else in ${where}`, async (context) => {
    if (unreachable) return context.skip(unreachable);
    const place = join(folder, `types-client-${where}`);
    mkdirSync(place);
    const program = `
      import { createClient, type SearchRequest } from 'lincir/client';
      const client = createClient({ url: 'http://localhost:5462' });
      const request: SearchRequest = { text: 'a red house', limit: 3 };
      export const { images } = await client.search(request, { signal: AbortSignal.timeout(1000) });
      export const scores: number[] = images.map(({ score }) => score);
      await client.upload(new Blob(['a']));
      // @ts-expect-error: nothing is called so
      client.search({ txt: 'a' });
    `;
    writeFileSync(join(place, 'program.mts'), program);
    const compilerOptions = {
      ...{ module: 'nodenext', target: 'es2022', lib, strict: true, skipLibCheck: false, noEmit: true },
      types,
    };
    writeFileSync(join(place, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.mts'] }));
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    await run(process.execPath, [compiler, '-p', place]).catch(({ stdout }) => assert.fail(stdout));
  });
}

test('has a client that imports nothing', () => {
  const client = readFileSync(join(root, 'dist/lib/client.js'), 'utf8');
  assert.doesNotMatch(client, /\bimport\b|\brequire\b|\bprocess\b/);
});

test('has no part for browsers of more than 200 kB, and none that asks for Node', () => {
  const browser = join(root, 'dist/browser');
  for (const name of readdirSync(browser)) {
    const text = readFileSync(join(browser, name), 'utf8');
    assert.ok(text.length < 200_000, `${name}: ${text.length} characters`);
    const imports = text.matchAll(/\b(?:from|import\(?) ?["']([^"'\s]+)["']/g);
    const targets = [...imports].map(([, target]) => target!);
    const others = targets.filter(
      (target) => !/^(\.\/[\w-]+\.js|onnxruntime-web\/(wasm|webgpu))$/.test(target),
    );
    assert.deepEqual(others, [], name);
  }
});

test('is a library for pages: its example builds with it, and finds what Node finds', async (context) => {
  if (unreachable) return context.skip(unreachable);
  // As `npm install onnxruntime-web` would bring it.
  symlinkSync(join(root, 'node_modules/onnxruntime-web'), join(installed, 'onnxruntime-web'), 'junction');
  const web = join(folder, 'web');
  copyExample(web, join(installed, 'lincir'));
  const PATH = [dirname(resolve(nodes[0]!)), join(root, 'node_modules/.bin'), process.env.PATH].join(
    delimiter,
  );
  await run('npm', ['run', 'build'], web, { PATH }).catch(({ stdout, stderr }) =>
    assert.fail(stdout + stderr),
  );
  if (!noBrowser) await expectAnswers(web);
});

for (const [conditions, only] of [
  [['browser'], `import { configureRuntime } from 'lincir'; configureRuntime({ threads: 1 });`],
  [[], `import { openIndex } from 'lincir'; openIndex('x.lance');`],
] as const) {
  const given = conditions.length > 0 ? 'with the condition' : 'without the condition';
  test(`has types for pages, ${given} browser`, async (context) => {
    if (unreachable) return context.skip(unreachable);
    const place = join(folder, `types-page-${conditions.length}`);
    mkdirSync(place);
    const program = `
      import { compose, filesAt, loadClip, loadPhi, nearest, type Query } from 'lincir';
      import 'lincir/clip';
      import 'lincir/core';
      import 'lincir/onnx';
      ${only}
      const clip = await loadClip(filesAt(new URL('models/mine/', document.baseURI)));
      const phi = await loadPhi('mine', { clip });
      const images: FileList = document.querySelector('input')!.files!;
      const query: Query = await compose({ clip, phi, images: [...images], text: 'is red' });
      export const [best] = nearest(query, await clip.encodeImages([...images]), 1);
      // @ts-expect-error: nothing is called so
      best.scor;
      ${conditions.length > 0 ? '// @ts-expect-error: no types of Node come along\n process.exit();' : ''}
    `;
    writeFileSync(join(place, 'program.ts'), program);
    const compilerOptions = {
      ...{
        module: 'esnext',
        moduleResolution: 'bundler',
        target: 'es2023',
        lib: ['es2023', 'dom', 'dom.iterable'],
      },
      ...{ types: [], customConditions: conditions, strict: true, skipLibCheck: false, noEmit: true },
    };
    writeFileSync(join(place, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }));
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    await run(process.execPath, [compiler, '-p', place]).catch(({ stdout }) => assert.fail(stdout));
  });
}
