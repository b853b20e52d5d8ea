/** Makes a `tokenizer.json` like CLIP's for a small vocabulary: a known word is one token, any other text is bytes. */

/** A tokenizer file, and its number of ids. Start and end of text are the last two. */
export interface TokenizerFile {
  readonly json: unknown;
  readonly vocabulary: number;
}

const startToken = '<|startoftext|>';
const endToken = '<|endoftext|>';
const endOfWord = '</w>';

/** CLIP's pieces for merging: contractions, runs of letters, single digits, runs of the rest. */
const pieces = String.raw`<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`;

/**
 * Learns byte pairs (Sennrich et al., 2016) from the words of the texts, until each is one token. Ids are numbered as in
 * CLIP: bytes, bytes that end a word (so `$` is 259), merges, start and end of text.
 */
export function tokenizerFile(texts: Iterable<string>): TokenizerFile {
  const merges = learntMerges(wordsOf(texts));
  const symbols = byteSymbols();
  const tokens = [
    ...symbols,
    ...symbols.map((symbol) => symbol + endOfWord),
    ...new Set(merges.map(([left, right]) => left + right)), // `a bc` and `ab c` give the same token
    startToken,
    endToken,
  ];
  const ids = Object.fromEntries(tokens.map((token, id) => [token, id]));
  return { json: description(ids, merges), vocabulary: tokens.length };
}

/** The different words of texts, lower case, as CLIP cuts them, in alphabetical order. */
export function wordsOf(texts: Iterable<string>): string[] {
  const pattern = new RegExp(pieces, 'gu');
  const words = new Set<string>();
  for (const text of texts) {
    for (const [word] of text.normalize('NFC').toLowerCase().matchAll(pattern)) words.add(word);
  }
  return [...words].sort();
}

/**
 * Repeatedly merges the most frequent pair, or the alphabetically first among equals. Applied in this order, as in a
 * tokenizer, the merges join every word.
 */
function learntMerges(words: readonly string[]): [string, string][] {
  const symbols = byteSymbolOf();
  const split = words.map((word) => {
    const letters = [...new TextEncoder().encode(word)].map((byte) => symbols.get(byte)!);
    return letters.with(-1, letters.at(-1)! + endOfWord);
  });
  const merges: [string, string][] = [];
  for (;;) {
    const counts = new Map<string, number>();
    for (const parts of split) {
      for (let at = 1; at < parts.length; at += 1) {
        const pair = `${parts[at - 1]} ${parts[at]}`;
        counts.set(pair, (counts.get(pair) ?? 0) + 1);
      }
    }
    const [best] = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    if (best === undefined) return merges;
    const [left, right] = best[0].split(' ') as [string, string];
    merges.push([left, right]);
    for (const parts of split) {
      for (let at = 1; at < parts.length; at += 1) {
        if (parts[at - 1] === left && parts[at] === right) parts.splice(at - 1, 2, left + right);
      }
    }
  }
}

/** The 256 characters that stand for bytes, printable bytes first: the order of CLIP's ids. */
function byteSymbols(): string[] {
  return [...byteSymbolOf().values()];
}

/** Printable bytes stand for themselves. Others are shifted to printable characters. */
function byteSymbolOf(): ReadonlyMap<number, string> {
  const bytes = [...Array(256).keys()];
  const isPrintable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xff && byte !== 0xad);
  const hidden = bytes.filter((byte) => !isPrintable(byte));
  return new Map([
    ...bytes.filter(isPrintable).map((byte) => [byte, String.fromCharCode(byte)] as const),
    ...hidden.map((byte, index) => [byte, String.fromCharCode(256 + index)] as const),
  ]);
}

/** `tokenizer.json` as every published CLIP has it, with the given ids and merges. */
function description(ids: Readonly<Record<string, number>>, merges: readonly [string, string][]): unknown {
  const special = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [startToken, endToken].map((content) => ({ id: ids[content], content, ...special })),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'NFC' },
        { type: 'Replace', pattern: { Regex: String.raw`\s+` }, content: ' ' },
        { type: 'Lowercase' },
      ],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: pieces }, behavior: 'Removed', invert: true },
        byteLevel,
      ],
    },
    post_processor: {
      type: 'RobertaProcessing',
      sep: [endToken, ids[endToken]],
      cls: [startToken, ids[startToken]],
      trim_offsets: false,
      add_prefix_space: false,
    },
    decoder: { ...byteLevel, add_prefix_space: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: endToken,
      continuing_subword_prefix: '',
      end_of_word_suffix: endOfWord,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: ids,
      merges,
    },
  };
}
