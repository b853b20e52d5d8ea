/** A server that answers as a node of OpenSearch does when something is wrong. */

import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'node:test';
import { Cluster } from '../src/store/opensearch/cluster.ts';

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

/** Milliseconds of one attempt, and of all. */
export const soon = { attempt: 300, all: 1500 };

async function startNode(
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

const variables = ['USER', 'PASSWORD', 'API_KEY', 'CA'].map((name) => `LINCIR_OPENSEARCH_${name}`);

/** Starts nodes for the tests of a file. After each test they are closed, and the environment's credentials are as they were. */
export function nodesOfTests() {
  let before: (string | undefined)[];
  let nodes: FakeNode[];
  beforeEach(() => {
    before = variables.map((name) => process.env[name]);
    for (const name of variables) delete process.env[name];
    nodes = [];
  });
  afterEach(async () => {
    for (const [at, name] of variables.entries()) {
      if (before[at] === undefined) delete process.env[name];
      else process.env[name] = before[at];
    }
    await Promise.all(nodes.map((node) => node.close()));
  });

  const start = async (answer: (request: FakeRequest) => FakeAnswer, certificate?: 'node' | 'expired') => {
    const node = await startNode(answer, certificate);
    nodes.push(node);
    return node;
  };
  /** A cluster of one node that greets, and answers all else so. */
  const clusterOf = async (answer: (request: FakeRequest) => FakeAnswer): Promise<Cluster> => {
    const { port } = await start((request) => (request.path === '/' ? greeting : answer(request)));
    return await Cluster.connect(`opensearch://127.0.0.1:${port}/photos`, soon);
  };
  return { start, clusterOf, started: (): readonly FakeNode[] => nodes };
}
