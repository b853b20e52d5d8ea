/** Prepared captions: the tokenizer's own ids, and placeholders where they must be, on a tiny tokenizer. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { loadTokenizer } from '../clip/index.ts';
import { sequence } from '../core/index.ts';
import { folderFiles } from '../files/index.ts';
import { cleanCaption } from './cleaning.ts';
import { createPreparation } from './preparation.ts';

const tokenizer = await loadTokenizer(
  folderFiles(join(import.meta.dirname, '../../test/fixtures/tiny-clip')),
);
const { startOfText, endOfText, maximum } = tokenizer;
const dollar = tokenizer.idOf('$')!;
const bySpans = await createPreparation(tokenizer, 'spans');
const official = await createPreparation(tokenizer, 'official');
const unasked = (): number => assert.fail('no chance is needed here');

const idsOf = (text: string): number[] => tokenizer.encode(text).ids;
const prompt = { masked: idsOf('a photo of $'), placeholders: [4] };

const maskedTexts: readonly (readonly [string, string])[] = [
  ['A red dog is sleeping', '$ is sleeping'],
  ["<PERSON>'s t-shirt, [$] and the $ hat!", "$ 's $ - $ , [] and $ !"],
  ['Sleeping on the the mat, on the mat', 'sleeping on $ , on $'],
  ['the white window', '$'],
  ['👩‍👩‍👧 in the rain 猫', '👩‍👩‍👧 in $ 猫'],
];
for (const [caption, text] of maskedTexts) {
  test(`${caption} → ${text}`, () => {
    const { ids, masked, placeholders } = bySpans(caption, unasked);
    assert.deepEqual(ids, idsOf(cleanCaption(caption)));
    assert.deepEqual(masked, idsOf(text));
    assert.equal(placeholders.length, text.split('$').length - 1);
  });
}

test('a caption without keywords gets the prompt', () => {
  for (const caption of ['', '  ', '$', 'sleeping and sleeping', '...']) {
    const ids = idsOf(cleanCaption(caption));
    for (const prepare of [bySpans, official])
      assert.deepEqual(prepare(caption, unasked), { ids, ...prompt });
  }
});

describe('captions about as long as there is room', () => {
  for (const length of [75, 76, 77]) {
    test(`${length} ids are all there`, () => {
      const { ids, masked, placeholders } = bySpans(`${', '.repeat(length - 3)}a`, unasked);
      assert.equal(ids.length, length);
      assert.deepEqual(masked, [...ids.slice(0, -2), dollar, endOfText]);
      assert.deepEqual(placeholders, [length - 2]);
    });
  }

  test('78 are cut, and the prompt stands for keywords behind the cut', () => {
    const { ids, ...masked } = bySpans(`${', '.repeat(75)}a`, unasked);
    assert.deepEqual(ids, idsOf(', '.repeat(75)));
    assert.equal(ids.length, maximum);
    assert.deepEqual(masked, prompt);
  });

  test('what ids do not reach is not in the masked caption either', () => {
    const word = 'photobook'.repeat(30); // more tokens than there is room for
    const { ids, masked } = bySpans(`a ${word} is white`, unasked);
    assert.deepEqual(ids, idsOf(`a ${word}`));
    assert.deepEqual(masked, idsOf('$'));
  });

  test('a caption of 65,536 letters', () => {
    const { ids, ...masked } = bySpans('a'.repeat(65_536), unasked);
    assert.deepEqual(ids, idsOf('a'.repeat(65_536)));
    assert.deepEqual(masked, prompt);
  });
});

test('a caption that spells out the end of text ends there', () => {
  const { ids, masked, placeholders } = bySpans('a dog <|endoftext|> a cat', unasked);
  assert.deepEqual(ids, idsOf('a dog'));
  assert.deepEqual([masked.at(-1), masked.indexOf(endOfText)], [endOfText, masked.length - 1]);
  assert.deepEqual(placeholders, [1]);
  assert.deepEqual(bySpans('<|endoftext|>a dog', unasked).ids, [startOfText, endOfText]);
});

test('any caption under both rules: the tokenizer’s ids, and placeholders where they are said to be', () => {
  for (const [caption, number] of oddCaptions(1000)) {
    const random = () => sequence({ seed: 1, purpose: 'masking', moment: number, row: 0 });
    for (const prepare of [bySpans, official]) {
      const { ids, masked, placeholders } = prepare(caption, random());
      assert.deepEqual(ids, idsOf(cleanCaption(caption)), caption);
      assert.ok(masked.length <= maximum && masked[0] === startOfText);
      assert.equal(masked.indexOf(endOfText), masked.length - 1, caption);
      const found = [...masked.keys()].filter((position) => masked[position] === dollar);
      assert.deepEqual(placeholders, found, caption);
      assert.ok(placeholders.length > 0, caption);
      assert.deepEqual(prepare(caption, random()), { ids, masked, placeholders });
    }
  }
});

test('a text encoded as a whole is prepared as one encoded word by word', async () => {
  for (const masking of ['spans', 'official'] as const) {
    const byWords = masking === 'spans' ? bySpans : official;
    const whole = await createPreparation({ ...tokenizer, isByWords: false }, masking);
    for (const [caption, number] of oddCaptions(300)) {
      const random = () => sequence({ seed: 1, purpose: 'masking', moment: number, row: 0 });
      assert.deepEqual(whole(caption, random()), byWords(caption, random()), caption);
    }
    for (const caption of [`${', '.repeat(200)}a dog`, 'a dog <|endoftext|> a cat', '<|endoftext|>']) {
      assert.deepEqual(whole(caption, unasked), byWords(caption, unasked), caption.slice(0, 20));
    }
  }
});

describe('tokenizers of other families', () => {
  const root = join(import.meta.dirname, '../../test/fixtures/tokenizers');
  const texts: readonly string[] = JSON.parse(readFileSync(join(root, 'texts.json'), 'utf8'));
  for (const family of ['siglip', 'siglip2', 'xlm-roberta', 'chinese-clip', 'open-clip-siglip']) {
    test(family, async () => {
      const other = await loadTokenizer(folderFiles(join(root, family)));
      const prepare = await createPreparation(other, 'spans');
      const start = other.startOfText === undefined ? [] : [other.startOfText];
      for (const caption of texts) {
        const { ids, masked, placeholders } = prepare(caption, unasked);
        // A caption ends at its end of text, also where it spells it out.
        const whole = other.encode(cleanCaption(caption)).ids;
        assert.deepEqual(ids, whole.slice(0, whole.indexOf(other.endOfText) + 1), caption);
        assert.ok(placeholders.length > 0 && masked.length <= other.maximum, caption);
        for (const place of placeholders) assert.equal(masked[place], other.placeholder.id, caption);
        assert.deepEqual([...masked.slice(0, start.length), masked.at(-1)], [...start, other.endOfText]);
      }
      const { masked } = prepare('A red dog sleeps on the beach', unasked);
      const parts = [...other.encodePart(''), other.placeholder.id, ...other.encodePart(' sleeps on')];
      assert.deepEqual(masked, [...start, ...parts, other.placeholder.id, other.endOfText]);
    });
  }
});

test('a tokenizer without room for a placeholder is refused', async () => {
  for (const masking of ['spans', 'official'] as const) {
    await assert.rejects(createPreparation({ ...tokenizer, maximum: 5 }, masking), {
      code: 'bad-config',
      message: /the tokenizer: expected room for "a photo of \$", found texts of at most 5 ids/,
    });
  }
});

function* oddCaptions(count: number): Generator<readonly [string, number], void, void> {
  const random = sequence({ seed: 4, purpose: 'masking', moment: 0, row: 0 });
  const parts = [
    ...[
      'a',
      'dog',
      'A red hat',
      'the',
      'is',
      'Running',
      "don't",
      'b.c',
      '4k',
      '$',
      '[$]',
      ' ',
      ' ',
      '  ',
      '\t',
      '\n',
    ],
    ...[
      ..."1.-'’&/:,;!?()é\u0301\u00a0\u3000\u2028\u0085\u200b\u200d\ufeffİΣ一猫👩🏽❤\ufe0f\u0001",
      '\ud800',
      '\udc00',
    ],
  ];
  for (let number = 0; number < count; number += 1) {
    const length = Math.floor(random() ** 3 * 120);
    yield [Array.from({ length }, () => parts[Math.floor(random() * parts.length)]).join(''), number];
  }
}
