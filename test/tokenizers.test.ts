/** Tokenizers of all families against the ids that Python’s libraries give for texts in many languages. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { loadTokenizer } from '../src/clip/index.ts';
import { folderFiles } from '../src/files/index.ts';

/** Another folder of larger ones: see `make_tokenizers.py`. */
const root = process.env.LINCIR_TEST_TOKENIZERS ?? join(import.meta.dirname, 'fixtures/tokenizers');
const jsonOf = (...names: string[]) => JSON.parse(readFileSync(join(root, ...names), 'utf8'));
const texts: readonly string[] = jsonOf('texts.json');
const families = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());

describe('ids as Python gives them', () => {
  for (const { name } of families) {
    test(name, async () => {
      const expected: readonly number[][] = jsonOf(name, 'expected.json');
      const { encode, maximum } = await loadTokenizer(folderFiles(join(root, name)));
      assert.ok(texts.length >= 1000 && expected.length === texts.length);
      const wrong = texts.flatMap((text, at) => {
        const ids = expected[at]!;
        const truncated = ids.length > maximum;
        const cut = truncated ? [...ids.slice(0, maximum - 1), ids.at(-1)!] : ids;
        const found = encode(text);
        return found.ids.join() === cut.join() && found.truncated === truncated ? [] : [{ text, found, cut }];
      });
      assert.deepEqual(wrong.slice(0, 5), [], `${wrong.length} texts differ`);
    });
  }
});
