/** Models' configurations and tokenizers, the hub's cache and its answers. */

import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fingerprintOf } from '../../../src/clip/fingerprint.ts';
import { loadTokenizer, readClipConfig, readPreprocessing } from '../../../src/clip/index.ts';
import { parseJson } from '../../../src/core/index.ts';
import { fileSource, folderFiles } from '../../../src/files/index.ts';
import { cachedCommit, cachedRefs, repositoryIn } from '../../../src/hub/cache.ts';
import { readToken } from '../../../src/hub/environment.ts';
import { parseListing } from '../../../src/hub/listing.ts';
import { missingParts } from '../../../src/hub/snapshot.ts';
import { bytesOf, filled, jsonOf, jsonTokens, ofFile, type Target, textTokens } from '../target.ts';

const fixtures = join(import.meta.dirname, '../../fixtures');

export async function modelTargets(folder: string) {
  const clip = (name: string) => readFile(join(fixtures, 'tiny-clip', name));
  const laion = (name: string) => readFile(join(fixtures, 'tiny-clip-laion', name));
  const config = JSON.parse(await readFile(join(fixtures, 'tiny-clip/config.json'), 'utf8'));
  const whole = await filled(join(folder, 'whole'), {});
  const parts = await filled(join(folder, 'parts'), {
    'vocab.json': await clip('vocab.json'),
    'merges.txt': await clip('merges.txt'),
  });
  const commit = '0123456789abcdef0123456789abcdef01234567';
  const repository = repositoryIn(join(folder, 'hub'), 'owner/name');
  await filled(repository.folder, { 'refs/main': commit, 'refs/v1': commit });
  await filled(repository.snapshot(commit), {
    'config.json': '{}',
    'preprocessor_config.json': '{}',
    'tokenizer.json': '{}',
    'a-1.safetensors': 'a',
  });
  const [pieces, lines] = [await filled(join(folder, 'pieces'), {}), await filled(join(folder, 'lines'), {})];
  /** A tokenizer with a part of its pieces: with all, most changes would be to these. */
  const tokenizerOf = async (name: string, part: number) => {
    const json = JSON.parse(await readFile(join(fixtures, 'tokenizers', name, 'tokenizer.json'), 'utf8'));
    const { model } = json;
    if (Array.isArray(model.vocab)) model.vocab.length = Math.ceil(part * model.vocab.length);
    else model.merges = [];
    return jsonOf(json);
  };
  const tokenizing = async (at: string) => {
    const tokenizer = await loadTokenizer(folderFiles(at));
    tokenizer.encode('a photo of $ that is "3,5" <|endoftext|> ’é 🐶\n');
  };
  return {
    'model-config': {
      covers: ['clip/config.ts', 'clip/clip.ts', 'hub/models.ts', 'cli/commands/tokenize.ts'],
      seeds: [
        await clip('config.json'),
        await laion('config.json'),
        jsonOf({ ...config, text_config_dict: {} }),
      ],
      tokens: [...jsonTokens, '"clip"', '"clip_text_model"', '"projection_dim"', '"hidden_size"', '"gelu"'],
      read: async (bytes) => readClipConfig(parseJson(bytes, 'config.json'), 'config.json'),
    },
    'model-preprocessor': {
      covers: ['clip/preprocess.ts'],
      seeds: [await clip('preprocessor_config.json'), await laion('preprocessor_config.json')],
      tokens: [...jsonTokens, '"size"', '"shortest_edge"', '"crop_size"', '"resample"', 'false', '3'],
      read: async (bytes) => readPreprocessing(parseJson(bytes, 'p.json'), 'p.json'),
    },
    tokenizer: {
      covers: ['clip/tokenizer.ts', 'clip/tokenizer-files.ts'],
      seeds: [await clip('tokenizer.json')],
      tokens: [
        ...jsonTokens,
        '"type"',
        '"Sequence"',
        '"Regex"',
        '"merges"',
        '"ByteLevel"',
        '(a+)+$',
        '\\\\p{L}',
      ],
      read: ofFile(whole, 'tokenizer.json', () => tokenizing(whole)),
    },
    'tokenizer-pieces': {
      covers: ['normalizers', 'pre-tokenizers', 'charsmap'].map((name) => `clip/tokenizing/${name}.ts`),
      seeds: [
        await tokenizerOf('xlm-roberta', 0.1),
        await tokenizerOf('siglip2', 0.1),
        jsonOf({
          added_tokens: [
            { id: 0, content: '[CLS]' },
            { id: 1, content: '$', normalized: true, lstrip: true },
          ],
          normalizer: { type: 'BertNormalizer', strip_accents: null },
          pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'BertPreTokenizer' }] },
          post_processor: { type: 'BertProcessing', cls: ['[CLS]', 0], sep: ['$', 1] },
          model: { type: 'WordPiece', vocab: { '[CLS]': 0, $: 1, '[UNK]': 2, a: 3, '##b': 4 } },
        }),
      ],
      tokens: [
        ...jsonTokens,
        ...[
          '"Unigram"',
          '"unk_id"',
          '"byte_fallback"',
          '"Metaspace"',
          '"precompiled_charsmap"',
          '"Split"',
          '"MergedWithNext"',
        ],
        ...[
          '"TemplateProcessing"',
          '"prepend_scheme"',
          '"single_word"',
          '"Replace"',
          '" {2,}"',
          '"Prepend"',
          '"NFKC"',
        ],
      ],
      share: 0.3,
      read: ofFile(pieces, 'tokenizer.json', () => tokenizing(pieces)),
    },
    'tokenizer-lines': {
      covers: ['clip/tokenizing/plain-vocabularies.ts'],
      seeds: [bytesOf('[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n$\na\n##b\n')],
      tokens: [...textTokens, '[UNK]', '[CLS]', '##'],
      read: ofFile(lines, 'vocab.txt', () => tokenizing(lines)),
    },
    'tokenizer-config': {
      covers: ['clip/families/open-clip/texts.ts'],
      seeds: [
        jsonOf({
          model_cfg: {
            text_cfg: {
              context_length: 64,
              hf_tokenizer_name: 'a/b',
              tokenizer_kwargs: { clean: 'canonicalize', strip_sep_token: true },
            },
          },
        }),
      ],
      tokens: [...jsonTokens, '"whitespace"', '"lower"', '"tokenizer_mode"', '64'],
      read: ofFile(lines, 'open_clip_config.json', async (file) => {
        await filled(lines, { 'vocab.txt': '[UNK]\n[CLS]\n[SEP]\na' });
        await tokenizing(lines);
        await rm(file);
      }),
    },
    'tokenizer-vocabulary': {
      covers: ['clip/tokenizer.ts'],
      seeds: [await clip('vocab.json')],
      tokens: jsonTokens,
      read: ofFile(parts, 'vocab.json', async () => {
        await filled(parts, { 'merges.txt': merges });
        await tokenizing(parts);
      }),
    },
    'tokenizer-merges': {
      covers: ['clip/tokenizer.ts'],
      seeds: [await clip('merges.txt')],
      tokens: [...textTokens, '#version', '</w>'],
      read: ofFile(parts, 'merges.txt', async () => {
        await filled(parts, { 'vocab.json': vocabulary });
        await tokenizing(parts);
      }),
    },
    fingerprint: {
      covers: ['clip/fingerprint.ts'],
      seeds: [bytesOf('weights '.repeat(100))],
      tokens: ['w'],
      read: ofFile(folder, 'weights', async (file) => {
        const tensor = {
          name: 'a',
          type: 'float32',
          shape: [200],
          source: await fileSource(file),
          offset: 0,
          byteLength: 800,
        } as const;
        const read = readClipConfig(config, 'config.json');
        await fingerprintOf(read, { tensors: new Map([['a', tensor]]) });
      }),
    },
    'hub-refs': {
      covers: ['hub/cache.ts'],
      seeds: [bytesOf(commit), bytesOf(`${commit}\n`)],
      tokens: textTokens,
      read: ofFile(repository.folder, 'refs/main', async () => {
        await cachedRefs(repository);
        await missingParts(repository, (await cachedCommit(repository, 'main')) ?? commit);
      }),
    },
    'hub-index': {
      covers: ['hub/snapshot.ts', 'hub/layouts.ts'],
      seeds: [jsonOf({ weight_map: { a: 'a-1.safetensors', b: 'a-2.safetensors' } })],
      tokens: [...jsonTokens, '.safetensors', '..'],
      read: ofFile(repository.snapshot(commit), 'model.safetensors.index.json', () =>
        missingParts(repository, commit),
      ),
    },
    'hub-answer': {
      covers: ['hub/listing.ts'],
      seeds: [
        jsonOf({
          sha: commit,
          siblings: [
            { rfilename: 'config.json', size: 12, blobId: commit },
            { rfilename: 'a.safetensors', size: 9, blobId: commit, lfs: { sha256: 'a'.repeat(64), size: 9 } },
          ],
        }),
      ],
      tokens: [...jsonTokens, commit, '"lfs"', '"size"'],
      read: async (bytes) => parseListing(Buffer.from(bytes).toString(), 'http://hub', 'owner/name'),
    },
    'hub-token': {
      covers: ['hub/environment.ts'],
      seeds: [bytesOf('hf_abcdefgh\n')],
      tokens: textTokens,
      read: ofFile(folder, 'token', (tokenFile) => readToken({ ...environment, tokenFile })),
    },
  } satisfies Record<string, Target>;
}

const environment = {
  ...{ cacheFolder: '', endpoint: '', offline: true, symlinks: true },
  token: undefined,
};
const [merges, vocabulary] = (await Promise.all(
  ['merges.txt', 'vocab.json'].map((name) => readFile(join(fixtures, 'tiny-clip', name))),
)) as [Buffer, Buffer];
