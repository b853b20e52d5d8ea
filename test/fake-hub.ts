/** A local server that speaks the part of the Hugging Face hub's protocol that is used here, with faults on demand. */

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** What goes wrong with one file, or with the listing under the name ''. */
export interface Fault {
  /** How many requests it strikes; all if not given. */
  times?: number;
  /** Answers with this status... */
  readonly status?: number;
  /** ...and these headers (`x-error-code`, `retry-after`). */
  readonly headers?: Readonly<Record<string, string>>;
  /** Destroys the connection when this many bytes of the file, counted from its beginning, have been sent. */
  readonly cutAt?: number;
  /** Sends nothing more after this many bytes of the file, and keeps the connection. */
  readonly stallAt?: number;
  /** Sends this instead of the file. */
  readonly content?: Buffer;
  /** Leaves out the content-length and sends in chunks. */
  readonly chunked?: boolean;
  /** Answers a range with the whole file. */
  readonly ignoresRange?: boolean;
  /** Says that the bytes it sends of a range are these. */
  readonly contentRange?: string;
  /** Milliseconds between pieces of 1,000 bytes. */
  readonly trickle?: number;
}

/** A commit of a model or of a data set. */
export interface FakeModel {
  readonly id: string;
  readonly commit: string;
  readonly files: Readonly<Record<string, string | Buffer>>;
  /** Names of files that live in "large file storage": named by SHA-256, served by the other host. */
  readonly large?: readonly string[];
  /** Only with this token; others hear that there is no such model. */
  readonly token?: string;
  /** Sizes in the listing, in place of the files' own. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** The listing is public, the files are not. */
  readonly gated?: boolean;
  /** What the listing says of it. */
  readonly isPrivate?: boolean;
  /** More of what the listing says. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** Answers a request, or leaves it to others. */
export type Handler = (
  host: 'hub' | 'storage',
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
) => Promise<boolean>;

export interface SeenRequest {
  readonly method: string;
  readonly host: 'hub' | 'storage';
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

/** A hub on one port and its storage on another, so that a redirect between them changes the origin. */
export class FakeHub {
  readonly requests: SeenRequest[] = [];
  /** By file name. */
  readonly faults = new Map<string, Fault>();
  readonly models = new Map<string, FakeModel>();
  /** By id and revision: `owner/name@main`. */
  readonly datasets = new Map<string, FakeModel>();
  /** Asked first. */
  readonly handlers: Handler[] = [];
  /** Whether pages may read its answers. As with the hub's storage, they may not ask whether they may ask (CORS preflight). */
  isOpenToPages = false;
  readonly #servers: Server[];

  private constructor(servers: Server[]) {
    this.#servers = servers;
  }

  static async start(...models: FakeModel[]): Promise<FakeHub> {
    const servers = [createServer(), createServer()];
    const hub = new FakeHub(servers);
    for (const model of models) hub.models.set(model.id, model);
    for (const [index, server] of servers.entries()) {
      const host = index === 0 ? 'hub' : 'storage';
      server.on('request', (request: IncomingMessage, response: ServerResponse) => {
        hub.#answer(host, request, response).catch(() => response.destroy());
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
    return hub;
  }

  get endpoint(): string {
    return this.#address(0);
  }

  get storage(): string {
    return this.#address(1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
  }

  /** The requests for one file, or for listings under the name ''. */
  requestsFor(name: string): SeenRequest[] {
    return this.requests.filter(({ path }) =>
      name === '' ? path.startsWith('/api/') : path.endsWith(`/${name}`),
    );
  }

  #address(index: number): string {
    const address = this.#servers[index]?.address() as AddressInfo;
    return `http://127.0.0.1:${address.port}`;
  }

  #fault(name: string): Fault {
    const fault = this.faults.get(name);
    if (fault === undefined || fault.times === 0) return {};
    if (fault.times !== undefined) fault.times--;
    return fault;
  }

  #dataset(id: string, revision: string): FakeModel | undefined {
    const named = this.datasets.get(`${id}@${decodeURIComponent(revision)}`);
    return named ?? [...this.datasets.values()].find((model) => model.id === id && model.commit === revision);
  }

  async #answer(host: 'hub' | 'storage', request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', this.endpoint);
    const { range, authorization } = request.headers;
    this.requests.push({ method: request.method ?? '', host, path: pathname, range, authorization });

    if (this.isOpenToPages) response.setHeader('access-control-allow-origin', '*');
    if (request.method === 'OPTIONS') return void response.writeHead(405).end();
    for (const handler of this.handlers) {
      if (await handler(host, pathname, request, response)) return;
    }
    const [, kind, id = '', revision = '', encodedName = ''] =
      /^\/api\/(models|datasets)\/([^/]+\/[^/]+)\/revision\/([^/]+)()$/.exec(pathname) ??
      /^\/(?:storage\/)?(?:(datasets)\/)?([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(pathname) ??
      [];
    const model = kind === 'datasets' ? this.#dataset(id, revision) : this.models.get(id);
    const isAllowed = host === 'storage' || !model?.token || authorization === `Bearer ${model.token}`;
    if (model === undefined || (!isAllowed && !model.gated)) {
      return void response.writeHead(401, { 'x-error-code': 'RepoNotFound' }).end();
    }
    const name = decodeURIComponent(encodedName);
    const isLarge = model.large?.includes(name) === true;
    const fault = isLarge && host === 'hub' ? {} : this.#fault(name);
    if (fault.status !== undefined) return void response.writeHead(fault.status, fault.headers ?? {}).end();
    if (name === '') return void response.writeHead(200).end(JSON.stringify(listingOf(model)));

    const file = model.files[name];
    if (file === undefined) {
      return void response.writeHead(404, { 'x-error-code': 'EntryNotFound' }).end();
    }
    if (!isAllowed) return void response.writeHead(403, { 'x-error-code': 'GatedRepo' }).end();
    const content = Buffer.from(file);
    const etag = `"${etagOf(content, isLarge)}"`;
    const headers = { 'x-repo-commit': model.commit, etag, 'accept-ranges': 'bytes' };
    if (isLarge && host === 'hub') {
      const location = `${this.#address(1)}/storage${pathname}`;
      const linked = { 'x-linked-etag': etag, 'x-linked-size': content.length };
      return void response.writeHead(302, { ...headers, ...linked, location }).end();
    }
    await send(request, response, fault.content ?? content, headers, fault);
  }
}

/** The name of a file's blob. */
export function etagOf(content: Buffer, isLarge: boolean): string {
  if (isLarge) return createHash('sha256').update(content).digest('hex');
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
}

function listingOf(model: FakeModel): unknown {
  const siblings = Object.entries(model.files).map(([rfilename, file]) => {
    const content = Buffer.from(file);
    const size = model.sizes?.[rfilename] ?? content.length;
    const blobId = etagOf(content, false);
    if (!model.large?.includes(rfilename)) return { rfilename, size, blobId };
    return { rfilename, size, blobId, lfs: { sha256: etagOf(content, true), size, pointerSize: 130 } };
  });
  return {
    _id: '1',
    id: model.id,
    modelId: model.id,
    private: model.isPrivate === true,
    sha: model.commit,
    siblings,
    ...model.facts,
  };
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  content: Buffer,
  headers: Readonly<Record<string, string>>,
  fault: Fault,
): Promise<void> {
  const range = fault.ignoresRange ? undefined : /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const start = Number(range?.[1] ?? 0);
  if (start >= content.length && start > 0) {
    return void response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
  }
  const end = range?.[2] ? Math.min(Number(range[2]) + 1, content.length) : content.length;
  const contentRange = fault.contentRange ?? `bytes ${start}-${end - 1}/${content.length}`;
  response.writeHead(range ? 206 : 200, {
    ...headers,
    ...(!fault.chunked && { 'content-length': end - start }),
    ...(range && { 'content-range': contentRange }),
  });
  if (request.method === 'HEAD') return void response.end();

  const last = Math.min(end, fault.cutAt ?? end, fault.stallAt ?? end);
  const step = fault.trickle === undefined ? end + 1 : 1000;
  for (let from = start; from < last; from += step) {
    await new Promise((done) => response.write(content.subarray(from, Math.min(from + step, last)), done));
    if (fault.trickle !== undefined) await pause(fault.trickle);
  }
  if (fault.stallAt !== undefined && fault.stallAt < end) return;
  if (fault.cutAt === undefined) return void response.end();
  await pause(10); // So that the bytes leave before the connection does.
  response.destroy();
}
