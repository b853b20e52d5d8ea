/** `lincir keywords` as a user meets it: captions in, what would be masked out. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';

const main = join(import.meta.dirname, '../src/cli/main.ts');

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-keywords-'));
  await writeFile(join(folder, 'captions.txt'), 'A dog runs\n\nTwo  cats and a  red hat\n');
  await writeFile(join(folder, 'prompts.csv'), 'id,prompt\n1,"a dog,\na cat"\n2,Running $\n');
});
after(() => rm(folder, { recursive: true }));

function start(args: readonly string[]) {
  return spawn(process.execPath, [main, 'keywords', ...args], { cwd: folder });
}

async function keywords(args: readonly string[], input = '') {
  const child = start(args);
  child.stdin.on('error', () => {}); // It may end before it has read all.
  child.stdin.end(input);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { stdout, stderr, code: child.exitCode };
}

test('marked and masked, for people', async () => {
  const { stdout, stderr, code } = await keywords(['captions.txt']);
  assert.equal(
    stdout,
    ['[a dog] runs', '→ $ runs', 'two [cats] and [a red hat]', '→ two $ and $', ''].join('\n'),
  );
  assert.equal(stderr, 'warning: captions.txt: line 2: it is empty: left out\n');
  assert.equal(code, 0);
});

test('tables, by column, each caption on a line of its own', async () => {
  const { stdout, stderr, code } = await keywords([
    '--captions',
    'prompts.csv',
    '--column',
    'text',
    'prompt',
  ]);
  assert.equal(
    stdout,
    ['[a dog], [a cat]', '→ $ , $', 'running', '→ a photo of $ (nothing to mask)', ''].join('\n'),
  );
  assert.deepEqual([stderr, code], ['', 0]);
});

test('standard input by the authors’ rule, as JSON', async () => {
  const input = 'A dog runs\nTwo  cats and a  red hat\n';
  const run = await keywords(['-', '--masking', 'official', '--json', '--seed', '0'], input);
  assert.deepEqual([run.stderr, run.code], ['', 0]);
  const [first, second] = run.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(first, {
    caption: 'A dog runs',
    cleaned: 'a dog runs',
    keywords: [{ text: 'a dog', start: 0, end: 5 }],
    masked: '$ runs',
    fallback: null,
  });
  assert.equal(second.fallback, 'random-word');
  const again = await keywords(['--masking', 'official', '--json'], input);
  assert.equal(again.stdout, run.stdout);
});

test('what a terminal would obey is not shown', async () => {
  const { stdout } = await keywords([], 'a\u001b[31mdog\u0007 runs\r\n');
  assert.doesNotMatch(stdout, /(?!\n)\p{Cc}/u);
});

test('a limit ends it, though there is more to come', async () => {
  const child = start(['--limit', '2']);
  child.stdin.on('error', () => {});
  child.stdin.write('a dog\na cat\na bird\n');
  const [stdout] = await Promise.all([text(child.stdout), once(child, 'close')]);
  assert.equal(stdout, '[a dog]\n→ $\n[a cat]\n→ $\n');
  assert.equal(child.exitCode, 0);
});

test('a reader that has seen enough is no failure', async () => {
  const child = start([]);
  const stderr = text(child.stderr);
  child.stdin.on('error', () => {});
  child.stdin.end('a dog runs\n'.repeat(100_000));
  await once(child.stdout, 'data');
  child.stdout.destroy();
  await once(child, 'close');
  assert.deepEqual([await stderr, child.exitCode], ['', 0]);
});

test('what cannot be read is named', async () => {
  for (const [args, message, exitCode] of [
    [['nowhere.txt'], /^lincir: nowhere\.txt: expected a file of captions/, 1],
    [['prompts.csv'], /^lincir: prompts\.csv.*expected the column "text".*"id", "prompt"/, 1],
    [['captions.txt', '--masking', 'all'], /^lincir: .*spans, official/, 2],
    [['captions.txt', '--limit', '0'], /^lincir: .*a whole number from 1 on/, 2],
    [['captions.txt', '--seed', '-1'], /^lincir: .*a whole number from 0 on/, 2],
  ] as const) {
    const { stdout, stderr, code } = await keywords(args);
    assert.match(stderr, message);
    assert.deepEqual([stdout, code], ['', exitCode]);
  }
});
