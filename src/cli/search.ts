/** `lincir search`: pictures that match a picture and words, once or in a dialogue. */

import { formatBytes, LincirError, quoted } from '../core/index.ts';
import { looksEmptied, type Method } from '../retrieval/index.ts';
import type { Context } from './context.ts';
import { interact } from './dialogue.ts';
import { askedLine } from './search-facts.ts';
import { asJson, asPaths, asText, foundLine, timingLines, writePage } from './search-output.ts';
import {
  type SearchRequest,
  type SearchResults,
  SearchSession,
  type SessionOptions,
} from './search-session.ts';
import { terminalGraphics } from './terminal-pictures.ts';

export interface SearchCommandOptions extends SessionOptions {
  readonly image?: readonly string[];
  readonly text?: string;
  readonly without?: string;
  readonly withoutWeight?: number;
  readonly method?: Method;
  readonly weight?: number;
  readonly where?: string;
  readonly top: number;
  readonly page: number;
  readonly minScore?: number;
  readonly includeReference?: boolean;
  readonly exact?: boolean;
  readonly unique?: number | true;
  readonly json?: boolean;
  readonly paths?: boolean;
  readonly null?: boolean;
  /** Where to write the page; `true`: to a temporary folder. */
  readonly html?: string | true;
  readonly open?: boolean;
  readonly preview?: boolean;
  readonly timings?: boolean;
  readonly interactive?: boolean;
}

export async function search(options: SearchCommandOptions, context: Context): Promise<void> {
  const { image: images = [], interactive } = options;
  const {
    text,
    without,
    withoutWeight,
    method,
    weight,
    where,
    top,
    page,
    minScore,
    includeReference,
    exact,
    unique,
  } = options;
  const request: SearchRequest = {
    ...{ images, text, without, withoutWeight, method, weight, where },
    ...{ top, page, minScore, includeReference, exact, unique },
  };
  if (options.preview) expectGraphics();
  if (images.length === 1 && text !== undefined && looksEmptied(text)) {
    context.reporter.note(
      `warning: ${quoted(text)} has a gap: if $1 stood there, a shell has emptied it; write --text in single quotes`,
    );
  }
  const session = await SearchSession.open(options, context);
  try {
    if (interactive)
      await interact(session, request, (results) => show(results, session, options, context), context);
    else await show(await session.search(request), session, options, context);
  } finally {
    await session.close();
  }
}

/** Prints results in the way that the options ask for. */
async function show(
  results: SearchResults,
  session: SearchSession,
  { json, paths, null: zero, html, open: opens, preview, timings, interactive }: SearchCommandOptions,
  { print, reporter }: Context,
): Promise<void> {
  if (json) print(asJson(results));
  else if (paths || zero) process.stdout.write(asPaths(results, zero ? '\0' : '\n'));
  else {
    if (results.query.prompt !== undefined) reporter.note(results.query.prompt);
    if (!interactive) reporter.note(askedLine(results));
    const graphics = preview ? terminalGraphics(process.env) : undefined;
    for await (const line of asText(results, graphics)) print(line);
  }
  if (html !== undefined || opens) {
    const { pictures } = await session.index.statistics();
    const file = await writePage(results, {
      searched: pictures,
      path: typeof html === 'string' ? html : undefined,
    });
    reporter.note(`→ ${file}`);
    if (opens) await (await import('open')).default(file);
  }
  if (timings) {
    for (const line of timingLines(results)) reporter.note(line);
    reporter.note(`${'memory'.padEnd(18)} ${formatBytes(process.memoryUsage.rss()).padStart(11)}`);
  } else if (interactive) reporter.note(foundLine(results, (await session.index.statistics()).pictures));
}

function expectGraphics(): void {
  if (process.stdout.isTTY && terminalGraphics(process.env) !== undefined) return;
  throw new LincirError('bad-argument', {
    subject: '--preview',
    expected: "a terminal that shows pictures by kitty's, iTerm2's or sixel graphics",
    found: process.stdout.isTTY ? 'one that is not known to' : 'no terminal',
    todo: 'use --html, with --open',
  });
}
