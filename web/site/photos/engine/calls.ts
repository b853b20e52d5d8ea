/** Calls between the page and its worker: questions with answers, their failures as the page knows them, and news. */

import { LincirProblem } from '../../../../src/api/client.ts';
import { LincirError } from '../../../../src/core/index.ts';
import { sentence } from '../../../src/failure.ts';

/** What can be called: a name, what is given, and what comes back. The signal says that nobody waits any more. */
export type Callable = Readonly<Record<string, (given: never, signal: AbortSignal) => unknown>>;

type Given<Calls, Name extends keyof Calls> = Calls[Name] extends (
  given: infer Value,
  ...others: never
) => unknown
  ? Value
  : never;
type Answer<Calls, Name extends keyof Calls> = Calls[Name] extends (...given: never) => infer Value
  ? Awaited<Value>
  : never;

/** A worker, or the page as a worker sees it. */
interface Port {
  postMessage(message: unknown): void;
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
}

type Question =
  | { readonly call: number; readonly name: string; readonly given: unknown }
  | { readonly cancel: number };
type Reply = { readonly call: number } & (
  | { readonly value: unknown }
  | { readonly problem: ProblemParts; readonly status: number }
);

interface ProblemParts {
  readonly code: string;
  readonly detail: string;
  readonly subject?: string;
  readonly todo?: string | undefined;
}

/** Answers the page's calls. Returns what tells it news. */
export function answerCalls<News>(port: Port, calls: Callable): (news: News) => void {
  const waiting = new Map<number, AbortController>();
  port.addEventListener('message', async ({ data }) => {
    const question = data as Question;
    if ('cancel' in question) return waiting.get(question.cancel)?.abort();
    const { call, name, given } = question;
    const controller = new AbortController();
    waiting.set(call, controller);
    let reply: Reply;
    try {
      reply = { call, value: await calls[name]!(given as never, controller.signal) };
    } catch (error) {
      reply = { call, ...asProblem(error) };
    }
    waiting.delete(call);
    port.postMessage(reply);
  });
  return (news) => port.postMessage({ news });
}

/** Calls a worker. */
export interface Caller<Calls> {
  /** @throws LincirProblem, or the signal's reason */
  call<Name extends keyof Calls & string>(
    name: Name,
    given: Given<Calls, Name>,
    signal?: AbortSignal,
  ): Promise<Answer<Calls, Name>>;
}

export function callsOf<Calls, News>(
  worker: Port & { onerror?: unknown },
  onNews: (news: News) => void,
  onCrash: (message: string) => void,
): Caller<Calls> {
  const waiting = new Map<number, PromiseWithResolvers<never>>();
  let next = 0;
  worker.addEventListener('message', ({ data }) => {
    if ('news' in data) return onNews(data.news as News);
    const reply = data as Reply;
    const promise = waiting.get(reply.call);
    waiting.delete(reply.call);
    if ('problem' in reply) promise?.reject(new LincirProblem(reply.problem, reply.status));
    else promise?.resolve(reply.value as never);
  });
  worker.onerror = (event: ErrorEvent) => {
    onCrash(event.message ?? 'its script could not be loaded');
    for (const { reject } of waiting.values())
      reject(new LincirProblem({ detail: 'the worker failed' }, 500));
    waiting.clear();
  };
  return {
    call(name, given, signal) {
      signal?.throwIfAborted();
      const call = next++;
      const promise = Promise.withResolvers<never>();
      waiting.set(call, promise);
      worker.postMessage({ call, name, given } satisfies Question);
      signal?.addEventListener('abort', () => {
        if (!waiting.delete(call)) return;
        worker.postMessage({ cancel: call } satisfies Question);
        promise.reject(signal.reason as Error);
      });
      return promise.promise;
    },
  };
}

const statuses: Readonly<Record<string, number>> = { 'bad-argument': 400, 'not-found': 404, 'bad-file': 422 };

export function asProblem(error: unknown): { readonly problem: ProblemParts; readonly status: number } {
  if (error instanceof LincirError) {
    const { code, message: detail, problem } = error;
    const { subject, todo } = problem;
    return { problem: { code, detail, subject, todo }, status: statuses[code] ?? 500 };
  }
  if (isFull(error)) {
    const todo = 'Free some space, or delete what this page keeps. Nothing that was kept is lost.';
    return {
      problem: { code: 'full', detail: 'The browser has no more room for this page.', todo },
      status: 507,
    };
  }
  const detail = error instanceof Error ? error.message : `${error}`;
  return { problem: { code: 'internal', detail }, status: 500 };
}

/** What a person reads of it: what is wrong, and what to do. */
export function asSentences(error: unknown): string {
  const { detail, todo } = asProblem(error).problem;
  return [detail, todo && !detail.includes(todo) && todo]
    .filter((text) => typeof text === 'string')
    .map(sentence)
    .join(' ');
}

/** Whether the disk, or the browser's share of it, is full. */
export function isFull(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'QuotaExceededError';
}
