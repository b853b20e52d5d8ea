/** `lincir search --interactive`: searches line by line, each from the one before, with everything loaded. */

import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline/promises';
import { methodNames, methods } from '../../composition/index.ts';
import { LincirError } from '../../core/index.ts';
import { cacheFolder } from '../../files/index.ts';
import type { Searcher, SearchRequest, SearchResults } from '../../search/index.ts';
import type { Context } from '../context.ts';
import { completedPath } from '../terminal/words.ts';
import { commands, stepOf } from './dialogue-steps.ts';
import { requestLines } from './facts.ts';
import { withInput } from './input.ts';

/** How results are shown. */
export interface Shows {
  readonly show: (results: SearchResults) => Promise<void>;
  /** Opens the page of results, or the image of that rank. */
  readonly open: (results: SearchResults, what: number | 'page') => Promise<void>;
}

/** How many lines the history keeps between dialogues. */
const historySize = 1000;

/** Reads lines until one ends it. An error ends a search, not the dialogue. Throws when the user interrupts. */
export async function interact(
  searcher: Searcher,
  first: SearchRequest,
  { show, open }: Shows,
  { reporter, signal, told }: Context,
): Promise<void> {
  let request = first;
  let last: SearchResults | undefined;
  const surviving = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof LincirError)) throw error;
      reporter.note(inDialogue(told(error.message)));
    }
  };
  const run = (next: SearchRequest): Promise<void> =>
    surviving(async () => {
      const before = request;
      // A request without new words is kept: the next line will give them.
      if (next.text === before.text) request = next;
      const asked = whatCounts(next);
      if (isEmpty(asked)) {
        request = next;
        return reporter.note('no images and no words yet: give one of them');
      }
      searcher.expectQuery(asked);
      request = before;
      last = await searcher.search(await withInput(asked, true));
      request = next;
      await show(last);
    });
  reporter.note('/help lists what you can type');
  if (!isEmpty(request)) await run(request);
  // Made only now, because lines that come before anybody reads them are lost.
  const isTerminal = process.stdin.isTTY === true && process.stderr.isTTY === true;
  const lines = await openLines(isTerminal, signal);
  let isOpen = true;
  lines.once('close', () => {
    isOpen = false;
  });
  const prompt = () => {
    if (isOpen) lines.prompt();
  };
  prompt();
  for await (const line of lines) {
    if (isTerminal) await remember(line);
    const step = stepOf(line.trim(), request, last);
    if (step === 'end') break;
    if (step === 'show') for (const fact of requestLines(request)) reporter.note(fact);
    else if ('print' in step) reporter.note(step.print);
    else if ('open' in step) await surviving(() => open(last!, step.open));
    else await run(step.request);
    prompt();
  }
  if (!isOpen && isTerminal) reporter.note('');
  lines.close();
  signal.throwIfAborted();
}

function isEmpty({ images, text }: SearchRequest): boolean {
  return images.length === 0 && text === undefined;
}

/** A chosen weight is ignored until there is something to weigh. */
function whatCounts(request: SearchRequest): SearchRequest {
  const { method, weight, without, withoutWeight } = request;
  return {
    ...request,
    weight: method && methods[method].weight && weight,
    withoutWeight: without === undefined ? undefined : withoutWeight,
  };
}

/** Replaces the names of options by those of the dialogue. */
function inDialogue(message: string): string {
  return message.replaceAll(
    /(?<![\w-])--(?=(?:image|text|method|weight|phi|without|where|unique|top)\b)/g,
    '/',
  );
}

async function openLines(isTerminal: boolean, signal: AbortSignal): Promise<Interface> {
  const lines = createInterface({
    ...{ input: process.stdin, output: process.stderr, prompt: '› ', signal, terminal: isTerminal },
    ...(isTerminal && { completer, historySize, history: await remembered(), removeHistoryDuplicates: true }),
  });
  // In a terminal, readline takes Ctrl-C as a key. It must interrupt here as well.
  lines.on('SIGINT', () => process.emit('SIGINT'));
  return lines;
}

async function completer(line: string): Promise<[string[], string]> {
  const [, command, rest = ''] = /^\/(\w*)(?:\s+(.*))?$/s.exec(line) ?? [];
  if (command === undefined) return [[], line];
  const among = (names: readonly string[], beginning: string): [string[], string] => [
    names.filter((name) => name.startsWith(beginning)),
    beginning,
  ];
  if (!/\s/.test(line))
    return among(
      Object.keys(commands).map((name) => `/${name} `),
      line,
    );
  if (command === 'method') return among(methodNames, rest);
  return command === 'image' || command === 'phi' ? await completedPath(rest) : [[], line];
}

const historyFile = (): string => join(cacheFolder(), 'search-history');

/** The history, the last line first. */
async function remembered(): Promise<string[]> {
  const text = await readFile(historyFile(), 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .slice(-historySize)
    .reverse();
}

/** Writes the history. If that fails, there is none. */
async function remember(line: string): Promise<void> {
  if (line.trim() === '') return;
  try {
    await mkdir(cacheFolder(), { recursive: true });
    await appendFile(historyFile(), `${line}\n`, { mode: 0o600 });
  } catch {}
}
