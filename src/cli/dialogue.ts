/** `lincir search --interactive`: one search after the other, each from the one before, with everything loaded. */

import { createInterface } from 'node:readline/promises';
import { LincirError } from '../core/index.ts';
import type { Context } from './context.ts';
import type { SearchRequest, SearchResults, SearchSession } from './search-session.ts';

const help = `  WORDS            search with these words and the present pictures ($ stands for a picture)
  3                take result 3 as the picture; 3 WORDS: and these words
  /image NAME …    other pictures: files, addresses, ids; none: no picture
  /text WORDS      the same, for words that begin with a number; none: no words
  /without WORDS   subtract these words; none: nothing
  /where FILTER    only pictures that pass; none: all
  /top N, /next    how many results; the following ones
  /show            what is asked at present
  /quit            end`;

/** What a line does: a changed request, or something to print, or the end. */
type Step = { readonly request: SearchRequest } | { readonly print: string } | 'end';

/** Reads lines until one ends it. An error ends a search, not the dialogue. */
export async function interact(
  session: SearchSession,
  first: SearchRequest,
  show: (results: SearchResults) => Promise<void>,
  { reporter, signal }: Context,
): Promise<void> {
  let request = first;
  let last: SearchResults | undefined;
  const run = async (next: SearchRequest): Promise<void> => {
    try {
      last = await session.search(next);
      request = next;
      await show(last);
    } catch (error) {
      if (!(error instanceof LincirError)) throw error;
      reporter.note(error.message);
    }
  };
  reporter.note('/help lists what can be said');
  if (request.images.length > 0 || request.text !== undefined) await run(request);
  // Made only now, since lines that come before anybody waits for them are lost.
  const lines = createInterface({ input: process.stdin, output: process.stderr, prompt: '› ', signal });
  let isOpen = true;
  lines.once('close', () => {
    isOpen = false;
  });
  lines.once('SIGINT', () => lines.close());
  const prompt = () => {
    if (isOpen) lines.prompt();
  };
  prompt();
  for await (const line of lines) {
    const step = stepOf(line.trim(), request, last);
    if (step === 'end') break;
    if ('print' in step) reporter.note(step.print);
    else if (step.request.images.length === 0 && step.request.text === undefined) request = step.request;
    else await run(step.request);
    prompt();
  }
  lines.close();
}

/** What a line means. */
export function stepOf(line: string, request: SearchRequest, last: SearchResults | undefined): Step {
  const next = { ...request, page: 1 };
  const [, command, rest = ''] = /^\/(\w+)\s*(.*)$/.exec(line) ?? [];
  const given = rest === '' ? undefined : rest;
  const result = /^#?(\d+)(?:\s+(.*))?$/.exec(line);
  if (line === '') return { print: '' };
  if (result) {
    const rank = Number(result[1]);
    const { page, top } = last?.request ?? request;
    const hit = last?.hits[rank - 1 - (page - 1) * top];
    if (hit === undefined) return { print: `there is no result ${rank}` };
    // The words before said what should differ from another picture.
    return { request: { ...next, images: [hit.id], text: result[2] } };
  }
  switch (command) {
    case undefined:
      return { request: { ...next, text: line } };
    case 'image':
      return {
        request: {
          ...next,
          images: rest.match(/"[^"]*"|\S+/g)?.map((name) => name.replaceAll('"', '')) ?? [],
        },
      };
    case 'text':
      return { request: { ...next, text: given } };
    case 'without':
      return { request: { ...next, without: given } };
    case 'where':
      return { request: { ...next, where: given } };
    case 'top':
      if (/^[1-9]\d{0,4}$/.test(rest)) return { request: { ...next, top: Number(rest) } };
      return { print: '/top takes a whole number from 1 to 99999' };
    case 'next':
      return { request: { ...request, page: request.page + 1 } };
    case 'show':
      return { print: JSON.stringify(request, null, 2) };
    case 'quit':
    case 'exit':
      return 'end';
    case 'help':
      return { print: help };
    default:
      return { print: `/${command} is no command; /help lists them` };
  }
}
