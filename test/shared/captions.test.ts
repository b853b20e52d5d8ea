/** Prepared captions against the tokenizer itself, over all real captions, and that masking does something to them. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cleanCaption } from '../../src/captions/cleaning.ts';
import { createTagger } from '../../src/captions/keywords.ts';
import { maskCaption } from '../../src/captions/masking.ts';
import { createPreparation } from '../../src/captions/preparation.ts';
import { loadTokenizer } from '../../src/clip/index.ts';
import { folderFiles } from '../../src/files/index.ts';

const data = join(import.meta.dirname, '../../../shared/data');

for (const [file, count] of [
  ['flickr8k.txt', 40_460],
  ['sd-prompts.txt', 989],
] as const) {
  const path = join(data, 'captions', file);
  test(`${file}: CLIP’s own ids, masked and not`, { skip: !existsSync(path) }, async () => {
    const captions = readFileSync(path, 'utf8').trim().split('\n');
    assert.equal(captions.length, count);
    const tokenizer = await loadTokenizer(folderFiles(join(data, 'clip-tokenizer')));
    const prepare = await createPreparation(tokenizer, 'spans');
    const tag = await createTagger();
    const random = (): number => assert.fail('no chance is needed here');
    let prompts = 0;
    for (const caption of captions) {
      const cleaned = cleanCaption(caption);
      const { ids, truncated } = tokenizer.encode(cleaned);
      const prepared = prepare(caption, random);
      assert.equal(prepared.ids.join(), ids.join(), caption);
      const places = [...prepared.masked.keys()].filter((at) => prepared.masked[at] === 259);
      assert.equal(prepared.placeholders.join(), places.join(), caption);
      assert.ok(places.length > 0, caption);
      if (truncated) continue; // masked after it was cut
      const { text, fallback } = maskCaption(cleaned, tag(cleaned), 'spans', random);
      assert.equal(prepared.masked.join(), tokenizer.encode(text).ids.join(), caption);
      if (fallback !== undefined) prompts += 1;
    }
    assert.ok(prompts < count / 100, `nothing to mask in ${prompts} captions`);
  });
}
