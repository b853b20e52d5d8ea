/** Calls between threads: questions with numbers, answers or failures, and news in between. */

import { LincirError } from '../../../src/core/index.ts';
import type { Failure } from './protocol.ts';

/** What a thread answers: a function for each name. */
export type Handlers = Readonly<Record<string, (...given: never[]) => unknown>>;

/** Where messages come from and go to: a worker, its own side, or a port. */
interface Port {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
}

interface Question {
  readonly call: number;
  readonly name: string;
  readonly given: readonly unknown[];
}
type Message =
  | Question
  | { readonly answered: number; readonly result?: unknown; readonly failure?: Failure }
  | { readonly news: unknown };

/**
 * Answers calls that come through a port.
 * @param later has the functions that `handlers` lacks, when they have come
 */
export function answer(port: Port, handlers: Handlers, later?: Promise<Handlers>): void {
  port.addEventListener('message', async ({ data }: MessageEvent<Message>) => {
    if (!('call' in data)) return;
    try {
      const handler = handlers[data.name] ?? (await later)?.[data.name];
      const result = await (handler as (...given: unknown[]) => unknown)(...data.given);
      port.postMessage({ answered: data.call, result }, result instanceof ImageBitmap ? [result] : []);
    } catch (error) {
      port.postMessage({ answered: data.call, failure: failureOf(error) });
    }
  });
}

export function tell(port: Port, news: unknown): void {
  port.postMessage({ news });
}

/** The other side: calls functions of a thread. */
export class Caller<Functions extends Handlers> {
  readonly #port: Port;
  readonly #waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
  #calls = 0;
  #failed: Error | undefined;

  constructor(port: Port, onNews: (news: never) => void = () => {}) {
    this.#port = port;
    port.addEventListener('message', ({ data }: MessageEvent<Message>) => {
      if ('news' in data) onNews(data.news as never);
      if (!('answered' in data)) return;
      const waiting = this.#waiting.get(data.answered);
      this.#waiting.delete(data.answered);
      if (data.failure) waiting?.reject(errorOf(data.failure));
      else waiting?.resolve(data.result as never);
    });
  }

  call<Name extends keyof Functions & string>(
    name: Name,
    given: Parameters<Functions[Name]>,
    transfer: Transferable[] = [],
  ): Promise<Awaited<ReturnType<Functions[Name]>>> {
    if (this.#failed) return Promise.reject(this.#failed);
    this.#calls += 1;
    const call = this.#calls;
    return new Promise((resolve, reject) => {
      this.#waiting.set(call, { resolve, reject });
      this.#port.postMessage({ call, name, given }, transfer);
    });
  }

  /** Ends all calls, also later ones, with this error. */
  fail(error: Error): void {
    this.#failed = error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

export function failureOf(error: unknown): Failure {
  if (!(error instanceof LincirError))
    return { message: error instanceof Error ? error.message : `${error}` };
  const { cause: _, ...problem } = error.problem; // it may not be transferable to another thread
  return { message: error.message, code: error.code, problem };
}

export function errorOf({ message, code, problem }: Failure): Error {
  return code && problem ? new LincirError(code, problem) : new Error(message);
}
