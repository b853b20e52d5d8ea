/** The tokenizer against recorded ids, from both file layouts, and what it refuses. */

import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { LincirError } from '../core/index.ts';
import { folderFiles } from '../files/index.ts';
import type { TextConfig } from './config.ts';
import { loadTokenizer } from './tokenizer.ts';

const fixture = join(import.meta.dirname, '../../test/fixtures/tiny-clip');
const config = { vocabulary: 600, positions: 77, endOfText: 599 } as TextConfig;

let scratch: string;
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'lincir-tokenizer-'));
});
after(() => rm(scratch, { recursive: true }));

/** A folder of its own with these files. */
async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(scratch, 'model-'));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return folder;
}

describe('recorded ids', () => {
  const layouts = [['tokenizer.json'], ['vocab.json', 'merges.txt']];
  for (const files of layouts) {
    test(`from ${files.join(' and ')}`, async () => {
      const folder = await folderOf({});
      for (const file of files) await cp(join(fixture, file), join(folder, file));
      const tokenizer = await loadTokenizer(folderFiles(folder), config);
      const golden = (await readFile(join(fixture, 'golden.jsonl'), 'utf8')).trim().split('\n');
      assert.ok(golden.length > 20);
      for (const line of golden) {
        const { text, ids }: { text: string; ids: number[] } = JSON.parse(line);
        assert.deepEqual(tokenizer.encode(text).ids, ids, text);
      }
    });
  }
});

test('a text too long for the text tower is cut before its end of text', async () => {
  const { encode, startOfText, endOfText } = await loadTokenizer(folderFiles(fixture), {
    ...config,
    positions: 7,
  });
  const [fitting, long] = [encode('a a a a a'), encode('a a a a a a')];
  assert.deepEqual([fitting.ids.length, fitting.truncated], [7, false]);
  assert.deepEqual(long, { ids: fitting.ids, truncated: true });
  assert.deepEqual([long.ids[0], long.ids.at(-1)], [startOfText, endOfText]);
});

test('without a configuration there is room for 77 ids', async () => {
  const { encode } = await loadTokenizer(folderFiles(fixture));
  assert.equal(encode('a '.repeat(75)).truncated, false);
  assert.equal(encode('a '.repeat(76)).truncated, true);
});

test('a very long text costs no more than its beginning', async () => {
  const { encode } = await loadTokenizer(folderFiles(fixture), config);
  const sentence = 'a photo of $ that is red, and more; ';
  const begin = performance.now();
  const { ids, truncated } = encode(sentence.repeat(200_000));
  assert.ok(performance.now() - begin < 500);
  assert.deepEqual([ids.length, truncated], [77, true]);
  assert.deepEqual(ids, encode(sentence.repeat(50)).ids);
  // What is looked at grows until it has enough tokens.
  assert.deepEqual(encode(`${' '.repeat(50_000)}a red ${' '.repeat(50_000)} hat`), encode('a red hat'));
});

test('a word that is one token has an id', async () => {
  const { idOf } = await loadTokenizer(folderFiles(fixture), config);
  assert.equal(idOf('$'), 259);
  assert.equal(idOf('$$'), undefined);
  assert.equal(idOf(''), undefined);
});

test('the placeholder is the vocabulary’s word for it, and its lack matters only where it is needed', async () => {
  const { placeholder } = await loadTokenizer(folderFiles(fixture), config);
  assert.deepEqual(placeholder, { word: '$', id: 259 });
  const vocabulary = { a: 0, 'a</w>': 1, '<|startoftext|>': 2, '<|endoftext|>': 3 };
  const files = { 'vocab.json': JSON.stringify(vocabulary), 'merges.txt': '' };
  const without = await loadTokenizer(folderFiles(await folderOf(files)));
  assert.deepEqual(without.encode('a').ids, [2, 1, 3]);
  assert.throws(() => without.placeholder, {
    code: 'bad-config',
    message: /vocab\.json: expected a token for the word \$.*, found none/,
  });
});

test('tokens that other files add, as versions of transformers write them', async () => {
  const plain = await readFile(join(fixture, 'tokenizer.json'), 'utf8');
  const added = { content: '<toy>', lstrip: false, normalized: false, rstrip: false, single_word: false };
  const files: Readonly<Record<string, unknown>>[] = [
    { 'added_tokens.json': { '<toy>': 600 } },
    { 'tokenizer_config.json': { added_tokens_decoder: { 600: added }, model_max_length: 77 } },
  ];
  for (const file of files) {
    const [[name, content]] = Object.entries(file) as [[string, unknown]];
    const folder = await folderOf({ 'tokenizer.json': plain, [name]: JSON.stringify(content) });
    const { encode } = await loadTokenizer(folderFiles(folder), { ...config, vocabulary: 601 });
    assert.deepEqual(encode('<toy> here').ids, [598, 600, 71, 575, 324, 599], name);
    // A text tower without a row for it knows no such token.
    const { ids } = (await loadTokenizer(folderFiles(folder), config)).encode('<toy> here');
    assert.deepEqual(ids, (await loadTokenizer(folderFiles(fixture), config)).encode('<toy> here').ids, name);
  }
  for (const name of ['tokenizer_config.json', 'special_tokens_map.json']) {
    for (const pad of ['!', { ...added, content: '!' }]) {
      const map = JSON.stringify({ pad_token: pad, unk_token: null });
      const folder = await folderOf({ 'tokenizer.json': plain, [name]: map });
      assert.deepEqual((await loadTokenizer(folderFiles(folder))).encode('!').ids, [598, 0, 599]);
    }
  }
  const wrong = await folderOf({ 'tokenizer.json': plain, 'added_tokens.json': '{"<toy>": "600"}' });
  await assert.rejects(loadTokenizer(folderFiles(wrong)), {
    code: 'bad-file',
    message: /added_tokens\.json/,
  });
});

test('what Python takes as optional in tokenizer.json is optional', async () => {
  const whole = JSON.parse(await readFile(join(fixture, 'tokenizer.json'), 'utf8'));
  const [{ post_processor, decoder, version, ...rest }, { type, dropout, ...model }] = [whole, whole.model];
  const { encode } = await loadTokenizer(
    folderFiles(await folderOf({ 'tokenizer.json': JSON.stringify({ ...rest, model }) })),
  );
  assert.deepEqual(
    encode("it's a red hat").ids,
    (await loadTokenizer(folderFiles(fixture))).encode("it's a red hat").ids,
  );
});

describe('families', () => {
  const root = join(import.meta.dirname, '../../test/fixtures/tokenizers');
  const load = (name: string, config?: TextConfig) => loadTokenizer(folderFiles(join(root, name)), config);

  test('have the tokens around texts, the room and the placeholder that their files say', async () => {
    const facts = [];
    for (const name of ['siglip', 'siglip2', 'xlm-roberta', 'chinese-clip', 'open-clip-siglip']) {
      const { startOfText, endOfText, maximum, isByWords, placeholder } = await load(name);
      facts.push([name, startOfText, endOfText, maximum, isByWords, placeholder.id > 0]);
    }
    assert.deepEqual(facts, [
      ['siglip', undefined, 1, 64, true, true],
      ['siglip2', undefined, 1, 64, false, true],
      ['xlm-roberta', 0, 2, 77, true, true],
      ['chinese-clip', 2, 3, 52, true, true],
      ['open-clip-siglip', undefined, 1, 64, true, true],
    ]);
    const long = { vocabulary: 1e6, positions: 512, endOfText: 'largest' } as TextConfig;
    assert.equal((await load('xlm-roberta', long)).maximum, 512);
    assert.equal((await load('chinese-clip', long)).maximum, 52);
  });

  test('a text is cut before its end of text, with a start or without', async () => {
    for (const name of ['siglip', 'siglip2', 'xlm-roberta', 'chinese-clip']) {
      const { encode, encodePart, endOfText, maximum, startOfText } = await load(name);
      const { ids, truncated } = encode('a red dog '.repeat(100));
      assert.deepEqual([ids.length, truncated, ids.at(-1)], [maximum, true, endOfText]);
      const start = startOfText === undefined ? [] : [startOfText];
      assert.deepEqual(
        ids.slice(0, -1),
        [...start, ...encodePart('a red dog '.repeat(100))].slice(0, maximum - 1),
      );
    }
  });

  test('OpenCLIP’s rules are those of its configuration', async () => {
    const files = await openClipFiles({ tokenizer_kwargs: { clean: 'whitespace', strip_sep_token: true } });
    const { encode, endOfText } = await loadTokenizer(folderFiles(await folderOf(files)));
    assert.equal(endOfText, 0);
    const upper = encode(' A  Dog').ids;
    assert.deepEqual(upper, encode('A Dog').ids);
    assert.notDeepEqual(upper, encode('a dog').ids);
    for (const text_cfg of [{ tokenizer_kwargs: { clean: 'html' } }, { tokenizer_mode: 'clips' }]) {
      const folder = await folderOf(await openClipFiles(text_cfg));
      await assert.rejects(loadTokenizer(folderFiles(folder)), {
        code: 'bad-file',
        message: /open_clip_config\.json: model_cfg: text_cfg: tokenizer_/,
      });
    }
  });

  test('flags of tokenizer_config.json name the tokens around texts', async () => {
    const json = await readFile(join(root, 'siglip2/tokenizer.json'), 'utf8');
    const config = { add_bos_token: true, add_eos_token: true, bos_token: '<bos>', eos_token: '<eos>' };
    const files = { 'tokenizer.json': json, 'tokenizer_config.json': JSON.stringify(config) };
    const { startOfText, endOfText } = await loadTokenizer(folderFiles(await folderOf(files)));
    assert.deepEqual([startOfText, endOfText], [2, 1]);
  });

  test('a tower that sees padding has learnt that of its tokenizer', async () => {
    const tower = { vocabulary: 600, positions: 64, endOfText: 1, attention: 'everywhere' } as TextConfig;
    await load('siglip', { ...tower, padding: 1 });
    await assert.rejects(load('siglip', { ...tower, padding: 0 }), {
      code: 'bad-config',
      message: /the id 0 to fill up texts.*found 1/,
    });
  });

  async function openClipFiles(text_cfg: object): Promise<Record<string, string>> {
    const json = await readFile(join(root, 'xlm-roberta/tokenizer.json'), 'utf8');
    const config = { model_cfg: { text_cfg: { hf_tokenizer_name: 'xlm-roberta-base', ...text_cfg } } };
    const other = { 'config.json': '{"model_type": "xlm-roberta"}' }; // the text tower's alone
    return { ...other, 'tokenizer.json': json, 'open_clip_config.json': JSON.stringify(config) };
  }
});

describe('refusals', () => {
  const vocabulary = { a: 0, 'a</w>': 1, '<|startoftext|>': 2, '<|endoftext|>': 3 };
  const refusals: readonly {
    readonly name: string;
    readonly files: Readonly<Record<string, string>>;
    readonly code: string;
    readonly message: RegExp;
    readonly config?: TextConfig;
  }[] = [
    {
      name: 'an empty folder',
      files: {},
      code: 'not-found',
      message: /tokenizer\.json, or vocab\.txt, or vocab\.json/,
    },
    {
      name: 'a vocabulary without merges',
      files: { 'vocab.json': '{}' },
      code: 'not-found',
      message: /merges\.txt, found "vocab\.json"/,
    },
    {
      name: 'a SentencePiece model alone',
      files: { 'sentencepiece.bpe.model': '' },
      code: 'bad-file',
      message:
        /sentencepiece\.bpe\.model: expected a tokenizer\.json .*: from transformers import AutoTokenizer; AutoTokenizer\.from_pretrained\('/,
    },
    {
      name: 'T5’s model alone',
      files: { 'spiece.model': '' },
      code: 'bad-file',
      message: /T5Tokenizer\.from_pretrained\('.*', extra_ids=0\)\.save_pretrained\('/,
    },
    {
      name: 'a tokenizer that needs code to run',
      files: {
        'tokenizer.json': '{}',
        'tokenizer_config.json': '{"auto_map": {"AutoTokenizer": ["tokenization_own.Own", null]}}',
      },
      code: 'bad-file',
      message: /needs code to run, \["tokenization_own\.Own",null\]/,
    },
    {
      name: 'a vocabulary of BERT without its ends',
      files: { 'vocab.txt': '[PAD]\n[UNK]\na\n' },
      code: 'bad-file',
      message: /at most one token before/,
    },
    {
      name: 'byte pairs with a prefix inside words',
      files: {
        'tokenizer.json': JSON.stringify({
          model: { vocab: { a: 0 }, merges: [], continuing_subword_prefix: '##' },
          post_processor: { type: 'BertProcessing', cls: ['a', 0], sep: ['a', 0] },
        }),
      },
      code: 'bad-file',
      message: /without a prefix inside words, found "##"/,
    },
    {
      name: 'texts without an end',
      files: { 'tokenizer.json': '{"model": {"vocab": [["a", -1]], "unk_id": 0}}' },
      code: 'bad-file',
      message: /a token that ends every text/,
    },
    {
      name: 'torn JSON',
      files: { 'tokenizer.json': '{"model": ' },
      code: 'bad-file',
      message: /tokenizer\.json: expected JSON/,
    },
    {
      name: 'other JSON',
      files: { 'tokenizer.json': '[1]' },
      code: 'bad-file',
      message: /tokenizer\.json: expected a tokenizer, /,
    },
    {
      name: 'a kind of tokenizer that nobody knows',
      files: { 'tokenizer.json': '{"model": {"type": "WordLevel", "vocab": {}, "merges": []}}' },
      code: 'bad-file',
      message: /model\.type/,
    },
    {
      name: 'a tokenizer with parts that nobody knows',
      files: {
        'tokenizer.json': JSON.stringify({
          ...{ model: { vocab: vocabulary, merges: [] }, pre_tokenizer: { type: 'Unheard' } },
        }),
      },
      code: 'bad-file',
      message: /pre_tokenizer: type: expected a pre-tokenizer that lincir knows, found "Unheard"/,
    },
    {
      name: 'ids that are no numbers',
      files: { 'vocab.json': '{"a": "b"}', 'merges.txt': '' },
      code: 'bad-file',
      message: /vocab\.json: .*, found a: /,
    },
    {
      name: 'no end of text',
      files: { 'vocab.json': '{"a": 0, "<|startoftext|>": 1}', 'merges.txt': '' },
      code: 'bad-file',
      message: /vocab\.json: expected CLIP's token <\|endoftext\|>/,
    },
    {
      name: 'a merge of three',
      files: { 'vocab.json': JSON.stringify(vocabulary), 'merges.txt': '#version: 0.2\r\na b\r\na b c\r\n' },
      code: 'bad-file',
      message: /merges\.txt: line 3/,
    },
    {
      name: 'more tokens than the text tower has',
      files: { 'vocab.json': JSON.stringify(vocabulary), 'merges.txt': '' },
      code: 'bad-config',
      message: /ids below the text tower's 3 tokens, found 3 for "<\|endoftext\|>"/,
      config: { ...config, vocabulary: 3 },
    },
    {
      name: 'another end of text than the text tower',
      files: { 'vocab.json': JSON.stringify(vocabulary), 'merges.txt': '' },
      code: 'bad-config',
      message: /end of text, id 599, found 3/,
      config,
    },
  ];
  for (const { name, files, code, message, config } of refusals) {
    test(name, async () => {
      const folder = await folderOf(files);
      await assert.rejects(loadTokenizer(folderFiles(folder), config), (error) => {
        assert.ok(error instanceof LincirError);
        assert.equal(error.code, code);
        assert.match(error.message, message);
        return true;
      });
    });
  }
});
