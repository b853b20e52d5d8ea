/** All readers of files are fuzzed: a short run here, the files that were once found, and that none is left out. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fuzz } from './fuzz.ts';
import { judge } from './judge.ts';
import { corruptFolder, makeTargets, uncovered } from './readers.ts';

const filesPerReader = 60;

const folder = await mkdtemp(join(tmpdir(), 'lincir-readers-'));
after(() => rm(folder, { recursive: true }));
const targets = await makeTargets(folder);

test('the first seed of every reader reads, the others at least do no harm', async () => {
  for (const [name, target] of targets) {
    await assert.doesNotReject(target.read(target.seeds[0]!), name);
    for (const seed of target.seeds) assert.equal(await judge(target, seed), undefined, name);
  }
});

test('files that were found read or are refused', async () => {
  for (const file of await readdir(corruptFolder)) {
    const name = file.replace(/(-\d+)*\.bin$/, '');
    const target = targets.get(name) ?? targets.get(name.split('-')[0]!);
    assert.ok(target, `a reader for ${file}`);
    assert.equal(await judge(target, await readFile(join(corruptFolder, file))), undefined, file);
  }
});

test('mutated files read or are refused, in their own folder', async () => {
  const { findings } = await fuzz([...targets.keys()], filesPerReader, 2);
  assert.deepEqual(findings, []);
});

/** What opens a file or makes values of its bytes. */
const reading = new RegExp(
  [
    String.raw`\b(JSON\.parse|parse\w*Json\w*|parseJson\w*|checkedValue|parseDelimited|TextDecoder|sharp|create\w+Decompress|createGunzip)\(`,
    String.raw`\b(readJsonFile|readingFile|openFile|fileLines|readLines|readFile|createReadStream|\w+Sync)\(`,
    String.raw`\bopen\((path|name|file|rowsFile|partial|realPath)`,
    String.raw`\bnew DataView\(|\.(read|get)(Big)?(UI|I|Ui|i)nt`,
  ].join('|'),
);

test('every module that reads is covered by a target', () => {
  const source = join(import.meta.dirname, '../../src');
  const covered = new Set([...targets.values()].flatMap(({ covers }) => covers));
  const modules = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .map((path) => path.replaceAll('\\', '/'));
  const isReader = (path: string) => reading.test(readFileSync(join(source, path), 'utf8'));
  assert.deepEqual(
    modules.filter((path) => isReader(path) && !covered.has(path) && !(path in uncovered)),
    [],
    'modules that read files without fuzzing: give test/fuzz a target, or say why not in readers.ts',
  );
  assert.deepEqual(
    [...covered, ...Object.keys(uncovered)].filter((path) => !modules.includes(path)),
    [],
    'modules that are no more',
  );
});
