/** Decodes in a separate process, which is ended if an image takes too much. A thread could not be stopped. */

import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { extname } from 'node:path';
import { type ErrorCode, LincirError, option, type Problem } from '../core/index.ts';
import type { RgbImage } from '../pixels/index.ts';
import type { DecodeWork } from './decode-here.ts';
import { decodingBytes, withMemory } from './memory-budget.ts';

/** Limits for an image. */
export interface DecodeLimits {
  /** Memory of the whole process, in bytes. */
  readonly memory: number;
  /** Processor time. */
  readonly seconds: number;
}

export type DecodeAnswer = (
  | { readonly image: RgbImage }
  | { readonly code: ErrorCode; readonly problem: Problem }
  | { readonly damage: string }
) & {
  /** Current memory of the process, in bytes. */
  readonly held: number;
};

/** Why the process ended itself. It writes this before, because signals and exit codes differ between systems. */
export type Excess = 'memory' | 'time';
export const excessPipe = 4;

/** A drawing may take any time. A photo takes longer if its file is larger: 48 megapixels of HEIC take 7 s. */
const secondsFor = ({ format, bytes }: DecodeWork) =>
  format === 'svg' ? 5 : Math.min(20, 10 + Math.floor(bytes.length / 1e6));
/** A shared processor gives only a part of its time. */
const patience = 3;
/** Memory of the process before its first image. */
const processBytes = 250_000_000;
/** First claim for an image of unknown size: 24 megapixels, with the decoder's own memory. */
const usualBytes = 300_000_000;
/** WebAssembly never returns memory. */
const mostHeldIdle = 600_000_000;
const idleMilliseconds = 10_000;

/**
 * Does the work in another process, one task of this thread after the other.
 * @param cost of decoding, in bytes, if it is known
 * @throws LincirError 'bad-file' for an image that takes too much, and as `decodeHere` does
 */
export function decodeInProcess(work: DecodeWork, cost: number | undefined): Promise<RgbImage> {
  const result = turn.then(() => decodedWithin(work, cost));
  turn = result.catch(() => {});
  return result;
}

let turn: Promise<unknown> = Promise.resolve();

async function decodedWithin(work: DecodeWork, cost: number | undefined): Promise<RgbImage> {
  const most = Math.max(decodingBytes, 3 * work.maxPixels);
  for (const bytes of cost === undefined ? [usualBytes, most] : [most]) {
    const image = await withMemory(cost ?? bytes, () => decodedBy(theProcess(), work, bytes));
    if (image !== undefined) return image;
  }
  throw refused(work.name, `an image that takes at most ${Math.round(most / 1e6)} MB to decode`, {
    found: 'one that takes more',
    todo: `shrink the image, or raise ${option<{ maxPixels: number }>('maxPixels')} if memory allows (3 bytes per pixel)`,
  });
}

let running: ChildProcess | undefined;
let idle: NodeJS.Timeout | undefined;

/** This thread's process, started when it is needed. */
function theProcess(): ChildProcess {
  clearTimeout(idle);
  if (running?.connected && running.exitCode === null && running.signalCode === null) return running;
  // After compilation, this file and the worker end in .js.
  const file = new URL(`./decoder-child${extname(import.meta.url)}`, import.meta.url);
  const child = fork(file, {
    serialization: 'advanced',
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc', 'pipe'],
  });
  child.on('error', () => {}); // from writing to a process that has ended; its end is reported elsewhere
  running = child;
  return child;
}

function end(child: ChildProcess): void {
  if (running === child) running = undefined;
  child.kill('SIGKILL');
}

/** Undefined if so much memory is not enough. */
async function decodedBy(
  child: ChildProcess,
  work: DecodeWork,
  bytes: number,
): Promise<RgbImage | undefined> {
  const { name } = work;
  const seconds = secondsFor(work);
  const limits: DecodeLimits = { memory: processBytes + 4 * work.bytes.length + bytes, seconds };
  const { promise, resolve, reject } = Promise.withResolvers<DecodeAnswer | { readonly excess: string }>();
  let excess = '';
  const pipe = child.stdio[excessPipe] as Socket;
  const onExcess = (reason: Buffer) => {
    excess += reason.toString();
  };
  // When the pipe has been read to its end.
  const onClose = (code: number | null, signal: NodeJS.Signals | null) =>
    excess === '' ? reject(crashed(name, signal ?? code)) : resolve({ excess });
  const onError = (cause: Error) => reject(notStarted(name, cause));
  const timer = setTimeout(
    () => {
      resolve({ excess: 'time' satisfies Excess });
      end(child);
    },
    seconds * patience * 1000,
  );
  child.once('message', resolve).once('close', onClose).once('error', onError);
  pipe.on('data', onExcess);
  hold(child, true);
  try {
    child.send({ work, limits });
    const answer = await promise;
    if ('excess' in answer) {
      if (answer.excess === ('memory' satisfies Excess)) return undefined;
      const expected = `an image that takes at most ${seconds} seconds to decode`;
      throw refused(name, expected, { found: 'one that takes longer' });
    }
    if (answer.held > mostHeldIdle) end(child);
    if ('image' in answer) return answer.image;
    if ('problem' in answer) throw new LincirError(answer.code, answer.problem);
    throw refused(name, whole, { found: answer.damage });
  } finally {
    clearTimeout(timer);
    child.off('message', resolve).off('close', onClose).off('error', onError);
    pipe.off('data', onExcess);
    hold(child, false);
    idle = setTimeout(() => end(child), idleMilliseconds).unref();
  }
}

/** An idle decoder does not keep this process alive. */
function hold(child: ChildProcess, isHeld: boolean): void {
  const change = isHeld ? 'ref' : 'unref';
  child[change]();
  child.channel?.[change]();
  (child.stdio[excessPipe] as Socket)[change]();
}

const whole = 'a whole image';

/** Whether the image made a library fail, or somebody else sent a signal, which says nothing about the image. */
function crashed(name: string, how: NodeJS.Signals | number | null): LincirError {
  const found = `that its decoder ended: ${how}`;
  if (how !== 'SIGKILL') return refused(name, whole, { found });
  const cause = Object.assign(new Error('killed, as systems do when memory is scarce'), { code: 'ENOMEM' });
  return new LincirError('io', { subject: name, expected: 'memory to decode it', found, cause });
}

function notStarted(subject: string, cause: Error): LincirError {
  const expected = 'to start a process that decodes it';
  return new LincirError('io', { subject, expected, found: cause.message, cause });
}

function refused(subject: string, expected: string, about: { found: string; todo?: string }): LincirError {
  return new LincirError('bad-file', { subject, expected, ...about });
}
