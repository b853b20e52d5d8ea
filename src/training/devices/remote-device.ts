/** Devices of another machine, which lends them over HTTP. Its answers are checked, and never taken for more than they may be. */

import { LincirError, option, quoted } from '../../core/index.ts';
import { lendingPath } from '../choices.ts';
import type { RunOptions } from '../open-run.ts';
import { type DeviceFacts, detailIn, factsIn, type TowerDevice } from './device.ts';
import type { RemotePlace } from './names.ts';

/** Bytes of facts and of errors. */
const mostJsonBytes = 2 ** 16;
/** Milliseconds for a machine that has nothing to compute yet. */
const helloTime = 15_000;
const isItThere = 'check the address, and that lincir lends devices there';

export class RemoteDevice implements TowerDevice {
  readonly facts: DeviceFacts;
  readonly #connection: Connection;

  private constructor(connection: Connection, facts: DeviceFacts) {
    this.#connection = connection;
    this.facts = facts;
  }

  /** @throws LincirError 'network' if there is no such machine, or it does not let us */
  static async open({ address }: RemotePlace, key: string | undefined): Promise<RemoteDevice> {
    const connection = new Connection(address, key);
    const bytes = await connection.ask('', { signal: AbortSignal.timeout(helloTime) }, mostJsonBytes);
    return new RemoteDevice(connection, factsIn(bytes, address));
  }

  async compute(task: Uint8Array<ArrayBuffer>, mostBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    const headers = { 'content-type': 'application/octet-stream' };
    return await this.#connection.ask('/tasks', { method: 'POST', body: task, headers }, mostBytes);
  }

  async close(): Promise<void> {
    this.#connection.end.abort();
  }
}

class Connection {
  readonly end = new AbortController();
  readonly #address: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(address: string, key: string | undefined) {
    this.#address = address;
    this.#headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  }

  /** The body of an answer of at most so many bytes. */
  async ask(path: string, request: RequestInit, mostBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    const whole: RequestInit = {
      ...request,
      redirect: 'error',
      signal: request.signal ? AbortSignal.any([this.end.signal, request.signal]) : this.end.signal,
      headers: { ...(request.headers as Record<string, string>), ...this.#headers },
    };
    const url = `${this.#address}${lendingPath}${path}`;
    // A connection that was kept may have ended in the meantime: then another one will do.
    const response = await fetch(url, whole).catch((error: unknown) => {
      if (whole.signal!.aborted) throw this.#failed(error);
      return fetch(url, whole).catch((again: unknown) => {
        throw this.#failed(again);
      });
    });
    const bytes = await this.#read(response, response.ok ? mostBytes : mostJsonBytes);
    if (response.ok) return bytes;
    throw this.#refused(response.status, bytes);
  }

  async #read(response: Response, mostBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    let size = 0;
    try {
      for await (const chunk of response.body ?? []) {
        size += chunk.length;
        if (size > mostBytes) throw this.#bad(`an answer of at most ${mostBytes} bytes`, 'more');
        chunks.push(chunk);
      }
    } catch (error) {
      throw error instanceof LincirError ? error : this.#failed(error);
    }
    return new Uint8Array(await new Blob(chunks).arrayBuffer());
  }

  /** What the other side says, if it is a problem document. */
  #refused(status: number, bytes: Uint8Array): LincirError {
    if (status === 401) {
      const todo = `give its key with ${option<RunOptions>('apiKey')}`;
      return this.#bad('that it takes our key', 'that it does not', undefined, todo);
    }
    const detail = detailIn(bytes);
    const found =
      detail === '' ? `status ${status} without a reason` : `status ${status}: ${quoted(detail, 300)}`;
    return this.#bad('an answer', found, undefined, isItThere);
  }

  #failed(error: unknown): LincirError {
    const { cause = error } = error instanceof Error ? error : {};
    const found = cause instanceof Error ? cause.message : String(cause);
    if (found === 'bad port') return this.#bad('an answer', 'a port that HTTP may not use', error, isItThere);
    if (error instanceof Error && error.name === 'TimeoutError') {
      const todo = `${isItThere}, and is not suspended`;
      return this.#bad('an answer', `none in ${helloTime / 1000} s`, error, todo);
    }
    return this.#bad('an answer', found || 'none', error, isItThere);
  }

  #bad(expected: string, found: string, cause?: unknown, todo?: string): LincirError {
    return new LincirError('network', { subject: `device ${this.#address}`, expected, found, todo, cause });
  }
}
