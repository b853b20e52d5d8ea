/** `lincir search --interactive`: one search after the other, each from the one before, with everything loaded. */

import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline/promises';
import { methodNames, methods } from '../../composition/index.ts';
import { LincirError } from '../../core/index.ts';
import { cacheFolder } from '../../files/index.ts';
import type { Context } from '../context.ts';
import { completedPath } from '../terminal/words.ts';
import { commands, stepOf } from './dialogue-steps.ts';
import { requestLines } from './facts.ts';
import type { SearchRequest, SearchResults, SearchSession } from './session.ts';

/** What is done with results. */
export interface Shows {
  readonly show: (results: SearchResults) => Promise<void>;
  /** Opens the page of results, or the image of that rank. */
  readonly open: (results: SearchResults, what: number | 'page') => Promise<void>;
}

/** Lines that are remembered from one dialogue to the next. */
const historySize = 1000;

/** Reads lines until one ends it. An error ends a search, not the dialogue. Throws when the user interrupts. */
export async function interact(
  session: SearchSession,
  first: SearchRequest,
  { show, open }: Shows,
  { reporter, signal }: Context,
): Promise<void> {
  let request = first;
  let last: SearchResults | undefined;
  const surviving = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof LincirError)) throw error;
      reporter.note(inDialogue(error.message));
    }
  };
  const run = (next: SearchRequest): Promise<void> =>
    surviving(async () => {
      const before = request;
      // What lacks other words is kept, for the next line to say them.
      if (next.text === before.text) request = next;
      const asked = whatCounts(next);
      if (isEmpty(asked)) {
        request = next;
        return reporter.note('no images and no words yet: give either');
      }
      session.expectQuery(asked);
      request = before;
      last = await session.search(asked);
      request = next;
      await show(last);
    });
  reporter.note('/help lists what can be said');
  if (!isEmpty(request)) await run(request);
  // Made only now, since lines that come before anybody waits for them are lost.
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

/** A weight that was chosen waits until there is something to weigh. */
function whatCounts(request: SearchRequest): SearchRequest {
  const { method, weight, without, withoutWeight } = request;
  return {
    ...request,
    weight: method && methods[method].weight && weight,
    withoutWeight: without === undefined ? undefined : withoutWeight,
  };
}

/** What options are called here. */
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
  // Typed in a terminal, Ctrl-C is a key; it means what it means elsewhere.
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

/** The last lines first. */
async function remembered(): Promise<string[]> {
  const text = await readFile(historyFile(), 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .slice(-historySize)
    .reverse();
}

/** A history that cannot be written is none. */
async function remember(line: string): Promise<void> {
  if (line.trim() === '') return;
  try {
    await mkdir(cacheFolder(), { recursive: true });
    await appendFile(historyFile(), `${line}\n`, { mode: 0o600 });
  } catch {}
}
