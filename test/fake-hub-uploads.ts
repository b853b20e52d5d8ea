/** Lets a fake hub take uploads by the Hugging Face hub's protocol: repositories, LFS in one or several parts, commits. */

import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { FakeHub } from './fake-hub.ts';

type Step = 'create' | 'preupload' | 'batch' | 'put' | 'complete' | 'commit';

/** What goes wrong with a step. */
export interface UploadFault {
  /** How many requests it strikes; all if not given. */
  times?: number;
  readonly status?: number;
  /** Said as JSON. */
  readonly error?: string;
  /** Sent instead of an answer, with status 200. */
  readonly content?: string;
  /** Destroys the connection after this many bytes of the request. */
  readonly cutAt?: number;
  /** Does its work, then destroys the connection. */
  readonly losesAnswer?: boolean;
}

export interface Uploads {
  /** By step. */
  readonly faults: Map<Step, UploadFault>;
  /** What is in storage, by SHA-256. */
  readonly objects: Map<string, Buffer>;
  /** Bytes of the bodies that storage took. */
  readonly received: number[];
  readonly commits: { readonly id: string; readonly summary: string; readonly parent: string | undefined }[];
  /** Called before a commit is looked at. */
  onCommit?: () => void;
}

export interface UploadRules {
  /** The only one that may write. */
  readonly token: string;
  /** Files that are longer come in parts of this length. */
  readonly partBytes: number;
}

/** Makes `hub` take uploads. */
export function acceptUploads(hub: FakeHub, { token, partBytes }: UploadRules): Uploads {
  const uploads: Uploads = { faults: new Map(), objects: new Map(), received: [], commits: [] };
  const parts = new Map<string, Buffer>();

  const steps: Readonly<Record<Step, (body: Buffer, path: string) => Answer>> = {
    create(body) {
      const { name, organization, visibility, private: isPrivate } = JSON.parse(body.toString());
      const id = `${organization}/${name}`;
      if (hub.models.has(id)) return [409, { error: 'You already created this model repo' }];
      const files = { '.gitattributes': '*.pt filter=lfs diff=lfs merge=lfs -text\n' };
      hub.models.set(id, {
        ...{ id, commit: hashOf(id), files, token },
        isPrivate: visibility === 'private' || isPrivate === true,
      });
      return [200, { url: `${hub.endpoint}/${id}`, name: id, id }];
    },
    preupload(body) {
      const files: { path: string; size: number; sample: string }[] = JSON.parse(body.toString()).files;
      const modeOf = ({ path, sample }: (typeof files)[number]) =>
        path.endsWith('.pt') || Buffer.from(sample, 'base64').includes(0) ? 'lfs' : 'regular';
      return [
        200,
        { files: files.map((file) => ({ path: file.path, uploadMode: modeOf(file), shouldIgnore: false })) },
      ];
    },
    batch(body, path) {
      const id = /^\/(.+)\.git\//.exec(path)![1];
      const { objects, transfers }: Batch = JSON.parse(body.toString());
      const answers = objects.map(({ oid, size }) => {
        if (uploads.objects.has(oid)) return { oid, size };
        const verify = { href: `${hub.endpoint}/verify/${id}` };
        if (size <= partBytes || !transfers.includes('multipart')) {
          return { oid, size, actions: { upload: { href: `${hub.storage}/put/${oid}/all` }, verify } };
        }
        const numbers = Array.from({ length: Math.ceil(size / partBytes) }, (_, at) =>
          `${at + 1}`.padStart(5, '0'),
        );
        const addresses = numbers.map((number) => [number, `${hub.storage}/put/${oid}/${number}`]);
        const header = { chunk_size: `${partBytes}`, ...Object.fromEntries(addresses) };
        return {
          oid,
          size,
          actions: { upload: { href: `${hub.endpoint}/complete/${oid}`, header }, verify },
        };
      });
      return [200, { transfer: 'basic', objects: answers }];
    },
    put(body, path) {
      const [, oid = '', part = ''] = /^\/put\/([^/]+)\/(.+)$/.exec(path)!;
      uploads.received.push(body.length);
      if (part !== 'all') parts.set(`${oid}/${Number(part)}`, body);
      else if (hashOf(body, 'sha256') !== oid) return [400, { error: 'other bytes' }];
      else uploads.objects.set(oid, body);
      return [200, {}, { etag: `"${hashOf(body, 'md5')}"` }];
    },
    complete(body) {
      const { oid, parts: list }: Completion = JSON.parse(body.toString());
      const found = list.map(({ partNumber, etag }) => {
        const part = parts.get(`${oid}/${partNumber}`);
        return part !== undefined && etag === `"${hashOf(part, 'md5')}"` ? part : Buffer.alloc(0);
      });
      const whole = Buffer.concat(found);
      if (hashOf(whole, 'sha256') !== oid) return [400, { error: 'other bytes' }];
      uploads.objects.set(oid, whole);
      return [200, {}];
    },
    commit(body, path) {
      uploads.onCommit?.();
      const [, id = ''] = /^\/api\/models\/(.+)\/commit\/main$/.exec(path)!;
      const model = hub.models.get(id);
      if (model === undefined) return [404, { error: 'Repository not found' }];
      const lines: Line[] = body
        .toString()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      const header = lines[0]!.value;
      if (header.parentCommit !== undefined && header.parentCommit !== model.commit) {
        return [412, { error: 'A commit has happened since. Please refresh and try again.' }];
      }
      const files = { ...model.files };
      const large = new Set(model.large);
      for (const { key, value } of lines.slice(1)) {
        const content =
          key === 'file' ? Buffer.from(value.content, 'base64') : uploads.objects.get(value.oid);
        if (content === undefined) return [422, { error: `no object ${value.oid}` }];
        files[value.path] = content;
        if (key === 'lfsFile') large.add(value.path);
      }
      const commit = hashOf(`${model.commit}${body}`);
      hub.models.set(id, { ...model, commit, files, large: [...large] });
      uploads.commits.push({ id, summary: header.summary, parent: header.parentCommit });
      return [
        200,
        {
          success: true,
          commitOid: commit,
          commitUrl: `${hub.endpoint}/${id}/commit/${commit}`,
          hookOutput: '',
        },
      ];
    },
  };

  hub.handlers.push(async (host, path, request, response) => {
    const step = stepOf(host, path, request.method ?? '');
    if (step === 'verify') return end(response, [200, {}]);
    if (step === undefined) return false;
    const fault = faultOf(uploads, step);
    if (fault.cutAt !== undefined) {
      await cut(request, fault.cutAt);
      return true;
    }
    const body = await buffer(request);
    // Storage takes a length, and no token: its addresses are signed.
    const { authorization, 'content-length': length } = request.headers;
    if (host === 'storage' && (authorization !== undefined || Number(length) !== body.length)) {
      return end(response, [400, { error: 'a token, or no length' }]);
    }
    if (host === 'hub' && step !== 'complete' && authorization !== `Bearer ${token}`) {
      return end(response, [401, { error: 'Invalid credentials in Authorization header' }]);
    }
    if (fault.status !== undefined) return end(response, [fault.status, { error: fault.error ?? 'refused' }]);
    if (fault.content !== undefined) return end(response, [200, fault.content]);
    const answer = steps[step](body, path);
    if (!fault.losesAnswer) return end(response, answer);
    response.destroy();
    return true;
  });
  return uploads;
}

type Answer = readonly [status: number, body: object | string, headers?: Readonly<Record<string, string>>];

interface Batch {
  readonly objects: { readonly oid: string; readonly size: number }[];
  readonly transfers: readonly string[];
}

interface Completion {
  readonly oid: string;
  readonly parts: { readonly partNumber: number; readonly etag: string }[];
}

interface Line {
  readonly key: string;
  readonly value: Readonly<Record<'path' | 'content' | 'oid' | 'summary', string>> & {
    readonly parentCommit?: string;
  };
}

function stepOf(host: string, path: string, method: string): Step | 'verify' | undefined {
  if (host === 'storage') return method === 'PUT' && path.startsWith('/put/') ? 'put' : undefined;
  if (method !== 'POST') return undefined;
  if (path === '/api/repos/create') return 'create';
  if (/^\/api\/models\/[^/]+\/[^/]+\/preupload\/main$/.test(path)) return 'preupload';
  if (/^\/[^/]+\/[^/]+\.git\/info\/lfs\/objects\/batch$/.test(path)) return 'batch';
  if (path.startsWith('/complete/')) return 'complete';
  if (path.startsWith('/verify/')) return 'verify';
  return /^\/api\/models\/[^/]+\/[^/]+\/commit\/main$/.test(path) ? 'commit' : undefined;
}

function faultOf({ faults }: Uploads, step: Step): UploadFault {
  const fault = faults.get(step);
  if (fault === undefined || fault.times === 0) return {};
  if (fault.times !== undefined) fault.times--;
  return fault;
}

async function cut(request: IncomingMessage, after: number): Promise<void> {
  let received = 0;
  for await (const chunk of request) {
    received += chunk.length;
    if (received >= after) break;
  }
  request.socket.destroy();
}

function end(response: ServerResponse, [status, body, headers = {}]: Answer): true {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
  return true;
}

function hashOf(content: string | Buffer, algorithm = 'sha1'): string {
  return createHash(algorithm).update(content).digest('hex');
}

/** The content of a file in a repository, by its path. */
export function fileIn(hub: FakeHub, id: string, name: string): Buffer {
  return Buffer.from(hub.models.get(id)!.files[name]!);
}
