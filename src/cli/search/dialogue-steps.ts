/** What a line of the dialogue means: the next request, something to print or open, or the end. */

import { methodNames, weightedMethods } from '../../composition/index.ts';
import type { SearchRequest, SearchResults } from '../../search/index.ts';
import { withoutQuotes, wordsOf } from '../terminal/words.ts';

/** The commands, in the order of help. */
export const commands = {
  image: 'NAME … [-- WORDS]  use these images, and words for them; without NAME: no image',
  text: 'WORDS  use these words, which may begin with a number; without WORDS: no words',
  method: `NAME  ${methodNames.join(', ')}; without NAME: whatever fits the query`,
  weight: `N  weight of the text in ${weightedMethods.join(' and ')}; without N: the default`,
  phi: 'PHI  what turns images into pseudo tokens',
  without: 'WORDS  subtract these; without WORDS: nothing',
  where: 'FILTER  only images that pass; without FILTER: all',
  unique: 'N  show duplicates once: same contents, or at least this similarity; off: all',
  top: 'N  number of results',
  next: 'the next results',
  back: 'the results before',
  open: 'N  result N; without N, a page with all results',
  show: 'the current query',
  help: 'this list',
  quit: 'end, as Ctrl-D does',
} as const;
type Command = keyof typeof commands;

export const help = [
  '  WORDS     search with these and the current images; $ stands for an image, \\$ is a dollar sign',
  '  3         search with result 3 as the image; 3 WORDS: and with these words',
  ...Object.entries(commands).map(([name, text]) => `  /${name.padEnd(8)} ${text}`),
  '  NAME is a file, a web address, an id or a path in the index, or #3 for result 3.',
].join('\n');

export type Step =
  | { readonly request: SearchRequest }
  | { readonly print: string }
  /** A result's rank, or the page of all. */
  | { readonly open: number | 'page' }
  | 'show'
  | 'end';

/** What a line means, given the last request and its results. */
export function stepOf(line: string, request: SearchRequest, last: SearchResults | undefined): Step {
  if (line === '') return { print: '' };
  const next = { ...request, page: 1 };
  const [, command, rest = ''] = /^\/(\w+)\s*(.*)$/.exec(line) ?? [];
  const given = rest === '' ? undefined : rest;
  const [, rank, words] = /^#?(\d+)(?:\s+(.*))?$/.exec(line) ?? [];
  if (rank !== undefined) {
    const hit = hitOf(rank, last);
    // The earlier words were about another image.
    return hit ? { request: { ...next, images: [hit.id], text: words } } : noResult(rank);
  }
  if (command === undefined) return { request: { ...next, text: line } };
  if (command === 'exit') return 'end';
  if (!(command in commands)) return { print: `/${command} is not a command; /help lists them` };
  switch (command as Command) {
    case 'image':
      return imageStep(rest, next, last);
    case 'text':
      return { request: { ...next, text: given } };
    case 'method': {
      const method = methodNames.find((name) => name === rest);
      if (method === undefined && given) return { print: `/method takes one of ${methodNames.join(', ')}` };
      return { request: { ...next, method } };
    }
    case 'weight':
      return isNumber(rest) || !given
        ? { request: { ...next, weight: given ? Number(given) : undefined } }
        : { print: '/weight takes a number, such as 0.5' };
    case 'phi':
      if (!given)
        return { print: '/phi takes a file, the folder of a run, or a published phi such as lincir-large' };
      return { request: { ...next, phi: withoutQuotes(rest) } };
    case 'without':
      return { request: { ...next, without: given } };
    case 'where':
      return { request: { ...next, where: given } };
    case 'unique':
      if (rest === 'off') return { request: { ...next, unique: false } };
      if (given && !isNumber(rest)) return { print: '/unique takes a similarity, such as 0.95, or off' };
      return { request: { ...next, unique: given ? Number(given) : true } };
    case 'top':
      if (/^[1-9]\d{0,4}$/.test(rest)) return { request: { ...next, top: Number(rest) } };
      return { print: '/top takes a whole number from 1 to 99999' };
    case 'next':
      if (last && last.hits.length < last.request.top) return { print: 'there are no more results' };
      return { request: { ...request, page: request.page + 1 } };
    case 'back':
      if (request.page === 1) return { print: 'these are the first results' };
      return { request: { ...request, page: request.page - 1 } };
    case 'open': {
      if (!given) return last ? { open: 'page' } : { print: 'nothing was found yet' };
      const number = rest.replace(/^#/, '');
      return hitOf(number, last) ? { open: Number(number) } : noResult(rest);
    }
    case 'show':
      return 'show';
    case 'help':
      return { print: help };
    case 'quit':
      return 'end';
  }
}

/** `NAME … [-- WORDS]` */
function imageStep(rest: string, next: SearchRequest, last: SearchResults | undefined): Step {
  const [, names = rest, words] = /^(.*?)(?:^|\s)--(?:\s+(.*))?$/.exec(rest) ?? [];
  const images: string[] = [];
  for (const name of wordsOf(names)) {
    const rank = /^#(\d+)$/.exec(name)?.[1];
    const hit = rank === undefined ? undefined : hitOf(rank, last);
    if (rank !== undefined && hit === undefined) return noResult(rank);
    images.push(hit?.id ?? name);
  }
  return { request: { ...next, images, ...(names !== rest && { text: words }) } };
}

/** The result that was shown with this rank. */
export function hitOf(
  rank: number | string,
  last: SearchResults | undefined,
): SearchResults['hits'][number] | undefined {
  if (last === undefined) return undefined;
  const { page, top } = last.request;
  return last.hits[Number(rank) - 1 - (page - 1) * top];
}

function noResult(rank: string): Step {
  return { print: `there is no result ${rank}` };
}

function isNumber(text: string): boolean {
  return /^(\d+\.?\d*|\.\d+)$/.test(text);
}
