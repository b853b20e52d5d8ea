/** `lincir tokenize` against the ids that OpenAI's own tokenizer gives. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const folder = join(root, '../shared/data/clip-tokenizer');

test('CLIP’s own ids for every golden text', { skip: !existsSync(folder) }, () => {
  const golden = readFileSync(join(folder, 'golden.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line): { text: string; ids: number[] } => JSON.parse(line));
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [join(root, 'src/cli/main.ts'), 'tokenize', '--model', folder],
    { input: golden.map(({ text }) => `${text}\n`).join(''), encoding: 'utf8' },
  );
  assert.equal(stderr, '');
  assert.equal(status, 0);
  const ids = stdout
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  assert.equal(ids.length, golden.length);
  golden.forEach(({ text, ids: expected }, index) => {
    assert.deepEqual(ids[index], expected, text);
  });
});
