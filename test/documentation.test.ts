/** Commands in the documentation, as a shell takes them. */

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import * as evaluationNotes from '../src/cli/evaluation/help.ts';
import * as notes from '../src/cli/help.ts';

const root = join(import.meta.dirname, '..');

test('no text with $ stands in double quotes, where a shell would empty it', async () => {
  const files = ['README.md', ...(await readdir(join(root, 'docs'))).map((name) => join('docs', name))];
  const texts = [
    ...(await Promise.all(
      files
        .filter((name) => name.endsWith('.md'))
        .map(async (name) => [name, await readFile(join(root, name), 'utf8')] as const),
    )),
    ...Object.entries({ ...notes, ...evaluationNotes }),
  ];
  assert.ok(texts.length > 15);
  for (const [name, text] of texts) {
    for (const line of text.split('\n')) {
      // What stands in single quotes may hold double ones.
      const doubled = line.replaceAll(/'[^'"]*'/g, '').match(/"[^"]*"/g) ?? [];
      for (const part of doubled) assert.doesNotMatch(part, /\$\d/, `${name}: ${line}`);
    }
  }
});
