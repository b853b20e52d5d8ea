/** A server that answers as a node of OpenSearch does when something is wrong. */

import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

const certificates = join(import.meta.dirname, 'fixtures/certificates');
export const authority = join(certificates, 'authority.pem');

export interface FakeRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly authorization: string | undefined;
}
/** `cut`: the connection ends without an answer; `half`: in the middle of it. `silent`: no answer comes. */
export type FakeAnswer = { readonly status?: number; readonly body: unknown } | 'cut' | 'half' | 'silent';

export interface FakeNode {
  readonly port: number;
  readonly requests: FakeRequest[];
  close(): Promise<void>;
}

export const greeting = { body: { version: { number: '3.5.0', distribution: 'opensearch' } } };

export async function startNode(
  answer: (request: FakeRequest) => FakeAnswer,
  certificate?: 'node' | 'expired',
): Promise<FakeNode> {
  const requests: FakeRequest[] = [];
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    const body = (await Array.fromAsync(request)).join('');
    const { method = '', url = '', headers } = request;
    const seen = { method, path: url, body, authorization: headers.authorization };
    requests.push(seen);
    const given = answer(seen);
    if (given === 'cut') request.socket.destroy();
    if (given === 'half') {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 });
      response.write('{', () => request.socket.resetAndDestroy());
    }
    if (typeof given === 'string') return;
    const isText = typeof given.body === 'string';
    const type = isText ? 'text/plain' : 'application/json';
    response.writeHead(given.status ?? 200, { 'content-type': type });
    response.end(isText ? given.body : JSON.stringify(given.body));
  };
  const read = (name: string) => readFileSync(join(certificates, `${name}.pem`));
  const server = certificate
    ? createHttpsServer({ cert: read(certificate), key: read('node-key') }, respond)
    : createHttpServer(respond);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const close = async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  };
  return { port: (server.address() as AddressInfo).port, requests, close };
}

/** What OpenSearch says of a failure. */
export function failure(status: number, type: string, reason: string): FakeAnswer {
  return { status, body: { error: { root_cause: [{ type, reason }], type, reason }, status } };
}
