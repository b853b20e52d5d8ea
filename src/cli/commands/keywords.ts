/** `lincir keywords`: shows captions, and what training would mask in them. */

import { pipeline } from 'node:stream/promises';
import { styleText } from 'node:util';
import {
  cleanCaption,
  createTagger,
  findCaptionSources,
  type MaskedCaption,
  type Masking,
  maskCaption,
  type OnLeftOut,
  type Span,
} from '../../captions/index.ts';
import { sequence } from '../../core/index.ts';
import { madeCaptions } from '../../training/choices.ts';
import { type Context, Warnings } from '../context.ts';
import { openTexts } from '../embed/texts.ts';
import { refuseIdle } from '../idle-options.ts';

interface KeywordsOptions {
  /** As `lincir train` takes them. */
  readonly captions?: readonly string[];
  readonly column?: readonly string[];
  readonly masking: Masking;
  /** At most so many captions. */
  readonly limit?: number;
  /** Of random words. */
  readonly seed: number;
  readonly json?: boolean;
}

/** @param named sources, as in `captions`; standard input for `-`, or if there are none */
export async function keywords(
  named: readonly string[],
  { captions = [], column, masking, limit, seed, json }: KeywordsOptions,
  { reporter, signal }: Context,
): Promise<void> {
  const specs = [...named, ...captions];
  const leftOut = new Warnings(reporter, 'captions are left out');
  const onLeftOut: OnLeftOut = (where, reason) => leftOut.add(`${where}: ${reason}: left out`);
  const isFromInput = specs.length === 0 || specs.includes('-');
  const files = specs.filter((spec) => spec !== '-');
  refuseIdle([
    ['--column', column, files.length > 0, 'a table to read'],
    ['--seed', seed > 0, masking === 'official', '--masking official as well'],
  ]);
  const sources = await findCaptionSources(files, { columns: column, signal, made: madeCaptions });

  const all = async function* (): AsyncGenerator<string, void, void> {
    if (isFromInput) yield* inputCaptions(onLeftOut, signal);
    for (const source of sources) {
      for await (const batch of source.captions({ onLeftOut, signal })) yield* batch;
    }
  };
  const describe = json ? asJson : asText(markerFor(process.stdout));
  const tag = await createTagger();
  const descriptions = async function* (): AsyncGenerator<string, void, void> {
    let number = 0;
    for await (const caption of all()) {
      const cleaned = cleanCaption(caption);
      const spans = tag(cleaned);
      const random = sequence({ seed, purpose: 'masking', moment: number, row: 0 });
      const masked = maskCaption(cleaned, spans, masking, random);
      yield `${describe({ caption, cleaned, spans, masked })}\n`;
      number += 1;
      if (number === limit) return;
    }
  };
  await pipeline(descriptions, process.stdout, { end: false });
  leftOut.finish();
}

/** A caption on its way. */
interface Stages {
  readonly caption: string;
  readonly cleaned: string;
  readonly spans: readonly Span[];
  readonly masked: MaskedCaption;
}

async function* inputCaptions(onLeftOut: OnLeftOut, signal: AbortSignal): AsyncGenerator<string, void, void> {
  const { name, lines } = await openTexts('-', signal);
  let line = 0;
  for await (const text of lines) {
    line += 1;
    if (text.trim() === '') onLeftOut(`${name}: line ${line}`, 'it is empty');
    else yield text;
  }
}

function asJson({ caption, cleaned, spans, masked: { text, keywords, fallback } }: Stages): string {
  const places = spans.map((span, index) => ({ text: keywords[index], ...span }));
  return JSON.stringify({ caption, cleaned, keywords: places, masked: text, fallback: fallback ?? null });
}

/** The caption with its keywords marked, and below it the masked one. */
function asText(mark: (keyword: string) => string): (stages: Stages) => string {
  return ({ cleaned, spans, masked: { text, keywords, fallback } }) => {
    const ends = [0, ...spans.map(({ end }) => end)];
    const parts = spans.map(
      ({ start }, index) => shown(cleaned.slice(ends[index], start)) + mark(shown(keywords[index]!)),
    );
    const rest = shown(cleaned.slice(ends.at(-1)));
    const note = { prompt: ' (nothing to mask)', 'random-word': ' (a random word, too)', none: '' };
    return `${parts.join('')}${rest}\n→ ${shown(text)}${note[fallback ?? 'none']}`;
  };
}

function markerFor(stream: NodeJS.WriteStream): (keyword: string) => string {
  if (!(stream.isTTY && stream.hasColors())) return (keyword) => `[${keyword}]`;
  return (keyword) => styleText(['bold', 'underline'], keyword);
}

/** Text in one line, without control characters. */
function shown(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll(/\p{Cc}/gu, '\ufffd');
}
