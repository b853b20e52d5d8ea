/** A server to attack: the real command, over hostile files, reached by raw sockets. */

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';
import { start } from '../command-line.ts';
import { type PlaceToServe, placeToServe } from '../served.ts';

export interface Target {
  readonly folder: string;
  readonly place: PlaceToServe;
  /** Ends with a slash. */
  readonly url: string;
  readonly port: number;
  /** All that it has printed. */
  readonly printed: () => string;
  /** Sends bytes as they are, and reads until the server closes. */
  readonly raw: (request: string) => Promise<string>;
  /** Sends JSON. */
  readonly post: (path: string, body: string | Uint8Array<ArrayBuffer>, type?: string) => Promise<Response>;
  /** @throws AssertionError unless it still answers and has met no error of its own */
  readonly expectWell: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export interface TargetOptions {
  readonly args?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Puts further files beside the images, and into the index. */
  readonly prepare?: (place: PlaceToServe) => Promise<void>;
}

/** Starts `lincir serve` on an index of a few images. */
export async function target({ args = [], headers = {}, prepare }: TargetOptions = {}): Promise<Target> {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-attack-'));
  const place = await placeToServe(folder, 4);
  await prepare?.(place);
  const server = start(
    ['serve', '--index', `photos=${place.uri}`, '--phi', place.phi, '--port', '0', ...args],
    { folder, environment: { LINCIR_CACHE: join(folder, 'cache'), LINCIR_API_KEY: undefined } },
  );
  const lines: string[] = [];
  const url = await addressOf(server, lines);
  const port = Number(new URL(url).port);
  const post: Target['post'] = (path, body, type = 'application/json') =>
    fetch(new URL(path, url), {
      method: 'POST',
      body,
      headers: { 'content-type': type, accept: 'application/json, text/event-stream', ...headers },
    });
  return {
    ...{ folder, place, url, port, post },
    printed: () => lines.join('\n'),
    raw: (request) => rawAnswer(port, request),
    async expectWell() {
      const answer = await post('api/v1/search', JSON.stringify({ text: 'a house', limit: 1 }));
      const text = await answer.text();
      if (answer.status !== 200) throw new Error(`the server is unwell: ${text}`);
      const errors = lines.filter((line) => line.startsWith('error '));
      if (errors.length > 0) throw new Error(`the server has failed inside: ${errors.join('\n')}`);
    },
    async stop() {
      server.kill('SIGTERM');
      await once(server, 'close');
      await rm(folder, { recursive: true });
    },
  };
}

async function addressOf(server: ChildProcess, lines: string[]): Promise<string> {
  createInterface(server.stdout!).on('line', (line) => lines.push(line));
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  createInterface(server.stderr!).on('line', (line) => {
    lines.push(line);
    const [, address] = /^lincir serve: (http:\S+)$/.exec(line) ?? [];
    if (address !== undefined) resolve(address);
  });
  server.once('close', () => reject(new Error(`lincir serve has ended: ${lines.join('\n')}`)));
  return promise;
}

async function rawAnswer(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {}); // The server may close before it has read all.
  socket.setTimeout(20_000, () => socket.destroy());
  socket.write(request, 'latin1');
  return await buffer(socket).then(
    (bytes) => bytes.toString('latin1'),
    () => '',
  );
}

/** Whether an answer refuses what was asked. clip-retrieval's protocol has but one status for that, and assistants have none. */
export const isRefusal = (status: number, text: string): boolean =>
  (status >= 400 && status < 500) ||
  (status === 500 && text.startsWith('{"message":')) ||
  (status === 200 && text.includes('"isError":true'));

/** The status of a raw answer; 0 if there is none. */
export const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
