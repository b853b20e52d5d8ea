/** Answers questions about the miniature world: rankings by all methods, and what explains them. */

import { averagePrecisions, miniPrompts, miniWeights } from '../../../src/benchmarks/portable.ts';
import {
  type ComposingModel,
  composeAll,
  defaultPrompt,
  type KnownTexts,
  methods,
  namesImages,
  type PseudoTokenEncoder,
  promptBeginning,
} from '../../../src/composition/index.ts';
import { type Float32Tensor, LincirError, normalizeRows } from '../../../src/core/index.ts';
import { embeddingOf, type Gallery, nearest } from './gallery.ts';
import {
  type MaskedExample,
  type MiniQuery,
  type PhiChoice,
  type Ranking,
  type Reading,
  type SearchAnswer,
  type SearchOptions,
  type ShownMethod,
  shownMethods,
} from './protocol.ts';
import type { EmbedImage } from './towers.ts';

/** A phi, and the steps of its training, if it is the one that learns. */
export interface AskedPhi {
  readonly phi: PseudoTokenEncoder;
  readonly step?: number;
}

export interface Asked {
  readonly model: ComposingModel;
  readonly gallery: Gallery;
  readonly queries: readonly MiniQuery[];
  /** The phi as it is now. Rejects with 'bad-argument' for the one that learns, before it does. */
  readonly phiOf: (choice: PhiChoice | 'untrained') => Promise<AskedPhi>;
  readonly embedImage: EmbedImage;
}

const defaultTop = 12;
/** Of the benchmark's measure. */
const cut = 10;

const needsPhi = (method: ShownMethod) => methods[method].pseudoTokens !== undefined;
const phiLast = [...shownMethods.filter((method) => !needsPhi(method)), ...shownMethods.filter(needsPhi)];

/** What the text tower reads, by the beginning that serves a method best: `{text}` follows ` that `. */
const beginnings = {
  composed: miniPrompts.composed.replace(' that {text}', ''),
  text: miniPrompts.text.replace(' that {text}', ''),
};

export async function search(asked: Asked, options: SearchOptions): Promise<SearchAnswer> {
  const begin = performance.now();
  const { reference, phi: choice = 'ready', top = defaultTop } = options;
  const words = options.words?.trim() || undefined;
  expectQuery(reference, words, asked.gallery);
  const asking = asked.phiOf(choice);
  asking.catch(() => {}); // told of below
  const embeddings = await embeddingsOf(asked, reference);
  const query = asked.queries.find((known) => known.reference === reference && known.text === words);
  const rankings = new Map<ShownMethod, Ranking>();
  const known: KnownTexts = new Map();
  // What needs phi comes last: at first, phi is still on its way.
  for (const method of phiLast) {
    const text = words === undefined ? undefined : wording(method, words);
    const needs = methods[method].needs;
    if (reference === undefined && needs.includes('image')) continue;
    if (needs.includes('text') && (text === undefined || namesImages(text, 1))) continue;
    const weight = weightOf(method);
    const images = reference === undefined ? [] : [0];
    const { phi } = needsPhi(method) ? await asking : {};
    const { vectors } = await composeAll(method, [{ images, texts: [text ?? ''] }], {
      ...{ clip: asked.model, embeddings, phi, weight, known },
    });
    const ranked = nearest(asked.gallery, vectors, Math.max(top, cut) + 1); // one is the reference
    const shown = ranked.filter(({ id }) => id !== reference).slice(0, top);
    rankings.set(method, {
      method,
      prompt: method === 'lincir' ? (text ?? defaultPrompt('')) : needs.includes('text') ? text : undefined,
      weight,
      hits: shown.map(({ id, score }) => ({ id, score, isRight: query?.targets.includes(id) })),
      averagePrecision: query && averagePrecision(query, ranked),
    });
  }
  const { step } = await asking;
  return {
    rankings: shownMethods.flatMap((method) => rankings.get(method) ?? []),
    ...{ query, step, milliseconds: performance.now() - begin },
  };
}

/** In percent, by the benchmark's rule: the reference is in the gallery. */
export function averagePrecision({ targets }: MiniQuery, ranked: readonly { readonly id: number }[]): number {
  const [found] = Object.values(
    averagePrecisions(
      [cut],
      targets.map(String),
      ranked.map(({ id }) => `${id}`),
    ),
  );
  return 100 * found!;
}

/** The text's weight that suits this world best, for a method that has one. */
export function weightOf(method: ShownMethod): number | undefined {
  return method === 'sum' ? miniWeights.sum : undefined;
}

/** What a method's text tower reads of a user's words. Words with `$` are the whole prompt. */
export function wording(method: ShownMethod, words: string): string {
  if (namesImages(words, 1)) return words;
  const beginning = method === 'lincir' ? beginnings.composed : beginnings.text;
  return defaultPrompt(words).replace(`${promptBeginning} $`, () => beginning);
}

/** A caption, its pseudo token, and the masked caption with it. */
export async function read(
  { model, phiOf }: Asked,
  { caption, masked }: MaskedExample,
  choice: PhiChoice | 'untrained' = 'ready',
): Promise<Reading> {
  const { phi } = await phiOf(choice);
  const embeddings = await model.encodeTokens([{ ids: model.tokenizer.encode(caption).ids }]);
  const token = await phi.encode(embeddings);
  const { vectors } = await composeAll('lincir', [{ images: [0], texts: [masked] }], {
    ...{ clip: model, embeddings, phi },
  });
  normalizeRows(embeddings.data, embeddings.data.length);
  return { caption: embeddings.data, token: token.data, masked: vectors };
}

/** Cosines of pictures with texts: a row for each picture. */
export async function cosines(
  { model, gallery }: Asked,
  pictures: readonly number[],
  texts: readonly string[],
): Promise<number[][]> {
  const { shape, data } = await model.encodeTokens(
    texts.map((text) => ({ ids: model.tokenizer.encode(text).ids })),
  );
  const dimensions = shape[1]!;
  normalizeRows(data, dimensions);
  return pictures.map((id) => {
    const picture = gallery.directions.subarray((id - 1) * dimensions, id * dimensions);
    return texts.map((_, row) =>
      picture.reduce((sum, value, at) => sum + value * data[row * dimensions + at]!, 0),
    );
  });
}

/** Throws the error that there is no phi that learns yet. */
export function notLearning(): never {
  throw new LincirError('bad-argument', {
    subject: 'the phi that learns here',
    expected: 'to have begun',
    found: 'no step of learning',
    todo: 'let it learn first, or ask with the ready phi',
  });
}

async function embeddingsOf(asked: Asked, reference: SearchOptions['reference']): Promise<Float32Tensor> {
  if (typeof reference === 'number') return embeddingOf(asked.gallery, reference);
  if (reference === undefined)
    return { shape: [0, asked.model.textConfig.projection], data: new Float32Array() };
  return await asked.embedImage(reference instanceof Blob ? reference : rgbOf(reference));
}

/** Drawn on white, where it is transparent. */
function rgbOf({ width, height, data: four }: ImageData) {
  const data = new Uint8Array(width * height * 3);
  for (let at = 0; at < width * height; at += 1) {
    const alpha = four[4 * at + 3]! / 255;
    for (let channel = 0; channel < 3; channel += 1) {
      data[3 * at + channel] = Math.round(alpha * four[4 * at + channel]! + (1 - alpha) * 255);
    }
  }
  return { data, width, height };
}

function expectQuery(
  reference: SearchOptions['reference'],
  words: string | undefined,
  gallery: Gallery,
): void {
  if (reference === undefined && words === undefined) {
    throw new LincirError('bad-argument', {
      subject: 'a query',
      expected: 'a picture, words, or both',
      found: 'neither',
      todo: 'choose or draw a picture, or type what should be different',
    });
  }
  const [pictures] = gallery.embeddings.shape as [number];
  const isId =
    typeof reference !== 'number' || (Number.isInteger(reference) && reference >= 1 && reference <= pictures);
  if (isId) return;
  const expected = `a picture of the gallery, from 1 to ${pictures}`;
  throw new LincirError('bad-argument', { subject: 'the picture', expected, found: `${reference}` });
}
