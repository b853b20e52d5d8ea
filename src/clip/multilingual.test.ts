/** Models for texts in several languages: their tokenizers, placeholders and towers together, and rows that depend on no others. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadClip } from './clip.ts';
import { joinParts } from './placeholders.ts';

const fixtures = join(import.meta.dirname, '../../test/fixtures');

/** What is asked, and other texts. */
const models = {
  'tiny-metaclip2': {
    asked: 'ist bei Nacht, 夜晚',
    others: ['ein Foto von einer Katze', '一只猫在红色的沙发上'],
  },
  'tiny-chinese-clip': { asked: '在晚上', others: ['一张狗在海滩上奔跑的照片', 'a photo of a dog'] },
  'tiny-open-clip-xlm': {
    asked: 'est bleue',
    others: ["une photo d'un chien sur la plage", 'красная лодка'],
  },
};

for (const [name, { asked, others }] of Object.entries(models)) {
  test(`${name}: a row has one embedding, to the bit, whatever other rows there are`, async (context) => {
    const clip = await loadClip(join(fixtures, name), { threads: 1 });
    context.after(() => clip.dispose());
    const { tokenizer, textConfig } = clip;
    const { width, projection } = textConfig;
    const vector = Float32Array.from({ length: width }, (_, at) => Math.sin(at));
    const { ids, places } = joinParts(tokenizer, ['a photo of ', ` that ${asked}`], (part) =>
      tokenizer.encodePart(part),
    );
    assert.equal(places.length, 1);
    assert.equal(ids[places[0]!], tokenizer.placeholder.id);
    const long = 'a photo of a house that stands on a mountain in the night';
    const rows = [
      { ids, injected: places.map((position) => ({ position, vector })) },
      ...[...others, 'a', long].map((text) => ({ ids: tokenizer.encode(text).ids })),
    ];
    const all = await clip.encodeTokens(rows, true);
    for (const [at, row] of rows.entries()) {
      const alone = await clip.encodeTokens([row], true);
      assert.deepEqual(alone.data, all.data.slice(at * projection, (at + 1) * projection), `row ${at}`);
    }
    const plain = await clip.encodeTokens([{ ids }], true);
    assert.notDeepEqual(plain.data, all.data.slice(0, projection), 'the vector counts');
  });
}
