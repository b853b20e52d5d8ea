/** A device of this machine, in a process of its own: starts it, and speaks with it over a pipe that nobody else can reach. */

import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { LincirError } from '../../core/index.ts';
import type { SessionOptions } from '../../onnx/index.ts';
import type { DeviceFacts, ErrorParts, TowerDevice } from './device.ts';
import type { LocalPlace } from './names.ts';

/** What the process needs to know. */
export interface DeviceWork extends LocalPlace, Pick<SessionOptions, 'precision'> {
  /** The folder of the model. */
  readonly model: string;
  /** Token positions of one batch. */
  readonly positions: number;
}

/** What it gets. */
export type ToDevice =
  | { readonly begin: DeviceWork }
  | { readonly id: number; readonly task: Uint8Array<ArrayBuffer> };

/** What it sends: that it is ready, or why not; then the result of each task, or why there is none. */
export type FromDevice = { readonly id: number } & (
  | { readonly facts: DeviceFacts }
  | { readonly result: Uint8Array<ArrayBuffer> }
  | { readonly failed: ErrorParts }
  | { readonly crashed: string }
);

/** The id of what it sends about its beginning. */
export const beginning = 0;

/** Milliseconds for loading a model, however slow its disk. */
const loadingTime = 600_000;

/** A process that is stopped does not see this one end, so it is ended here. */
const living = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

/** Owns a process: close it. */
export class LocalDevice implements TowerDevice {
  readonly facts: DeviceFacts;
  readonly lost: Promise<Error>;
  readonly #child: DeviceChild;

  private constructor(child: DeviceChild, facts: DeviceFacts) {
    this.#child = child;
    this.facts = facts;
    this.lost = child.ended;
  }

  /** @throws LincirError as loading the model does, and 'device' if the process ends */
  static async start(work: DeviceWork): Promise<LocalDevice> {
    const child = new DeviceChild(work);
    const timer = setTimeout(() => child.end(), loadingTime);
    try {
      const answer = await child.ask({ begin: work }, beginning);
      if (!('facts' in answer)) throw new Error('its first answer is none');
      return new LocalDevice(child, answer.facts);
    } catch (error) {
      child.end();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async compute(task: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const id = this.#child.nextId();
    const answer = await this.#child.ask({ id, task }, id);
    if (!('result' in answer)) throw new Error('its answer has no result');
    return answer.result;
  }

  async close(): Promise<void> {
    this.#child.end();
    await this.#child.ended;
  }
}

/** The process, and what is waited for. */
class DeviceChild {
  /** Resolves when it has ended, with what is lost by that. */
  readonly ended: Promise<Error>;
  readonly #name: string;
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<FromDevice>>();
  #id = beginning;

  constructor({ name, precision }: DeviceWork) {
    this.#name = name;
    // After compilation, this file and the child end in .js.
    const file = new URL(`./device-child${extname(import.meta.url)}`, import.meta.url);
    this.#process = fork(file, {
      serialization: 'advanced',
      execArgv: [],
      // This process may have turned TF32 off for itself: see runtime/tf32.ts.
      env: precision === 'tf32' ? { ...process.env, NVIDIA_TF32_OVERRIDE: undefined } : process.env,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    living.add(this.#process);
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.ended = promise;
    const over = (reason: string, cause?: unknown) => {
      living.delete(this.#process);
      this.#fail(reason, cause);
      resolve(this.#lost(reason, cause));
    };
    this.#process.on('error', (cause) => {
      // One that cannot be written to any more is ending, and its exit says why.
      if (this.#process.pid === undefined) over(cause.message, cause);
      else this.end();
    });
    this.#process.on('exit', (code, signal) => over(ends(code, signal)));
    this.#process.on('message', (message: FromDevice) => this.#take(message));
  }

  nextId(): number {
    this.#id += 1;
    return this.#id;
  }

  /** Sends something, and waits for the answer with this id. */
  async ask(message: ToDevice, id: number): Promise<FromDevice> {
    const { exitCode, signalCode } = this.#process;
    if (exitCode !== null || signalCode !== null) throw this.#lost(ends(exitCode, signalCode));
    const waiting = Promise.withResolvers<FromDevice>();
    this.#waiting.set(id, waiting);
    this.#process.send(message);
    return await waiting.promise;
  }

  end(): void {
    this.#process.kill('SIGKILL');
  }

  #take(message: FromDevice): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if ('failed' in message) waiting?.reject(new LincirError(message.failed.code, message.failed.problem));
    else if ('crashed' in message) waiting?.reject(this.#lost(message.crashed));
    else waiting?.resolve(message);
  }

  #fail(reason: string, cause?: unknown): void {
    for (const { reject } of this.#waiting.values()) reject(this.#lost(reason, cause));
    this.#waiting.clear();
  }

  #lost(found: string, cause?: unknown): LincirError {
    return new LincirError('device', {
      subject: `device ${this.#name}`,
      expected: 'that its process goes on',
      found,
      cause,
    });
  }
}

function ends(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal === 'SIGKILL') return 'that it was killed, as systems do when memory is scarce';
  return `that it ended: ${signal ?? `code ${code}`}`;
}
