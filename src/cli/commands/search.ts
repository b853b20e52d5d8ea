/** `lincir search`: finds images that match an image and words, once or in a dialogue. */

import { methods } from '../../composition/index.ts';
import { formatBytes, LincirError, quoted } from '../../core/index.ts';
import { isWebAddress, memberMark } from '../../pictures/index.ts';
import {
  Searcher,
  type SearcherOptions,
  type SearchRequest,
  type SearchResults,
} from '../../search/index.ts';
import type { Context } from '../context.ts';
import { refuseIdle } from '../idle-options.ts';
import { openFile } from '../open-file.ts';
import { interact } from '../search/dialogue.ts';
import { hitOf } from '../search/dialogue-steps.ts';
import { askedLine } from '../search/facts.ts';
import { withInput } from '../search/input.ts';
import { asJson, asPaths, asText, foundLine, timingLines, writePage } from '../search/output.ts';
import { terminalGraphics } from '../terminal/pictures.ts';
import { looksEmptied } from '../terminal/shell-quotes.ts';

interface SearchCommandOptions
  extends Pick<SearcherOptions, 'index' | 'model' | 'device' | 'threads' | 'allowPrivate'>,
    Omit<SearchRequest, 'images'> {
  readonly image?: readonly string[];
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
  const { image: images = [], interactive, text, phi, method, page, includeReference, exact } = options;
  const request: SearchRequest = { ...options, images };
  const { reporter } = context;
  const asLines = !options.json && !options.paths && !options.null;
  refuseIdle([
    ['--page', page > 1, !interactive, 'no --interactive, where /next turns pages'],
    ['--paths', options.paths, !options.json, 'no --json'],
    ['--null', options.null, !options.json, 'no --json'],
    ['--preview', options.preview, asLines, 'neither --json nor bare paths'],
    ['--include-reference', includeReference, interactive || images.length > 0, '--image as well'],
    [
      '--allow-private',
      options.allowPrivate,
      interactive || images.some(isWebAddress),
      'an address as --image',
    ],
  ]);
  if (options.preview) expectGraphics();
  // Methods without phi take several images without names.
  const named = methods[method ?? 'lincir'].pseudoTokens ? images.length : 1;
  if (text !== undefined && looksEmptied(text, named) && images.length > 0) {
    reporter.note(
      `warning: ${quoted(text)} has a gap: if you wrote $1 there, a shell has emptied it; write --text in single quotes`,
    );
  }
  const searcher = await Searcher.open({
    ...options,
    prepack: interactive === true,
    signal: context.signal,
    onEvent: (event) => {
      if (event.kind === 'note') return reporter.note(event.text);
      reporter.progress({ ...event, begun: event.done }, event.done);
      if (event.done === event.total) reporter.end();
    },
  });
  try {
    const shows = {
      show: (results: SearchResults) => show(results, searcher, options, context),
      open: (results: SearchResults, what: number | 'page') => openResult(results, what, searcher, context),
    };
    if (interactive) await interact(searcher, request, shows, context);
    else {
      searcher.expectQuery(request);
      const results = await searcher.search(await withInput(request, false));
      if (phi !== undefined && results.phi === undefined) {
        reporter.note(`warning: --phi is not used by the method ${results.query.method}`);
      }
      if (exact && (await searcher.index.statistics()).approximate === undefined) {
        reporter.note('warning: --exact changes nothing: all images of this index are compared anyway');
      }
      await shows.show(results);
    }
  } finally {
    await searcher.close();
  }
}

/** Prints results as the options ask. */
async function show(
  results: SearchResults,
  searcher: Searcher,
  { json, paths, null: zero, html, open: opens, preview, timings, interactive }: SearchCommandOptions,
  { print, reporter }: Context,
): Promise<void> {
  if (json) print(asJson(results));
  else if (paths || zero) process.stdout.write(asPaths(results, zero ? '\0' : '\n'));
  else {
    if (results.query.prompt !== undefined) reporter.note(results.query.prompt);
    if (!interactive) reporter.note(askedLine(results));
    const graphics = preview ? terminalGraphics(process.env) : undefined;
    for await (const line of asText(results, graphics, searcher.index)) print(line);
  }
  if (html !== undefined || opens) {
    const path = typeof html === 'string' ? html : undefined;
    const file = await writePage(results, searcher.index, path);
    reporter.note(`→ ${file}`);
    if (opens) await openFile(file);
  }
  if (timings) {
    for (const line of timingLines(results)) reporter.note(line);
    reporter.note(`${'memory'.padEnd(18)} ${formatBytes(process.memoryUsage.rss()).padStart(11)}`);
  } else if (interactive) reporter.note(foundLine(results, (await searcher.index.statistics()).images));
}

/** Opens the page of results, or the image of a rank, in the system's program for it. */
async function openResult(
  results: SearchResults,
  what: number | 'page',
  searcher: Searcher,
  { reporter }: Context,
): Promise<void> {
  if (what === 'page') {
    const file = await writePage(results, searcher.index);
    reporter.note(`→ ${file}`);
    return await openFile(file);
  }
  const { path } = hitOf(what, results)!;
  if (path.includes(memberMark)) {
    throw new LincirError('bad-argument', {
      subject: quoted(path),
      expected: 'an image with a file of its own',
      found: 'one in a shard',
      todo: 'open the page instead',
    });
  }
  await openFile(path);
}

function expectGraphics(): void {
  if (process.stdout.isTTY && terminalGraphics(process.env) !== undefined) return;
  throw new LincirError('bad-argument', {
    subject: '--preview',
    expected: "a terminal that shows images by kitty's, iTerm2's or sixel graphics",
    found: process.stdout.isTTY ? 'one that is not known to do so' : 'no terminal',
    todo: 'use --html, with --open',
  });
}
