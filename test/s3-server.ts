/** A small server that speaks S3: it lists, sends ranges, checks signatures, and fails when it is told to. */

import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const credentials = { AWS_ACCESS_KEY_ID: 'AKIATEST', AWS_SECRET_ACCESS_KEY: 'secret/+key' };

interface Stored {
  readonly bytes: Uint8Array;
  readonly modified: Date;
  readonly etag: string;
}

/** What happens to a request in place of its answer; undefined: nothing. */
export type Fault =
  | { readonly status: number; readonly code?: string; readonly headers?: Readonly<Record<string, string>> }
  /** The connection ends after so many bytes. */
  | { readonly cutAfter: number };

export interface S3Request {
  readonly method: string;
  /** `BUCKET/KEY`. */
  readonly path: string;
  readonly range: string | undefined;
  /** Of the signature; undefined if it has none. */
  readonly region: string | undefined;
}

export class S3Server {
  readonly objects = new Map<string, Stored>();
  readonly requests: S3Request[] = [];
  /** Asked for every request, in order. */
  fault: (request: S3Request) => Fault | undefined = () => undefined;
  keysPerPage = 1000;
  readonly #server = createServer((request, response) => this.#answer(request, response));

  /** Starts, and returns the address. */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  put(path: string, bytes: Uint8Array | string, modified = new Date('2026-01-02T03:04:05Z')): void {
    const content = Buffer.from(bytes);
    this.objects.set(path, { bytes: content, modified, etag: etagOf(content) });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url!, 'http://host');
    const path = decodeURIComponent(url.pathname.slice(1));
    const signature = request.headers.authorization;
    const region = /Credential=[^/]+\/\d{8}\/([\w-]+)\/s3\//.exec(signature ?? '')?.[1];
    const { range } = request.headers;
    const told = { method: request.method!, path, range, region };
    this.requests.push(told);
    const fail = (status: number, code: string, headers: Readonly<Record<string, string>> = {}) => {
      response.writeHead(status, { ...headers, 'content-type': 'application/xml' });
      response.end(`<Error><Code>${code}</Code></Error>`);
    };
    const fault = this.fault(told);
    const stored = this.objects.get(path);
    const { 'if-match': version } = request.headers;
    if (fault && 'status' in fault) fail(fault.status, fault.code ?? 'Fault', fault.headers);
    else if (signature !== undefined && !isSigned(request, url)) fail(403, 'SignatureDoesNotMatch');
    else if (url.searchParams.has('list-type')) this.#list(path.replace(/\/$/, ''), url, response);
    else if (!stored) fail(404, 'NoSuchKey');
    else if (version !== undefined && version !== stored.etag) fail(412, 'PreconditionFailed');
    else send(stored, request, response, fault);
  }

  #list(bucket: string, url: URL, response: ServerResponse): void {
    const prefix = `${bucket}/${url.searchParams.get('prefix') ?? ''}`;
    const after = url.searchParams.get('continuation-token') ?? '';
    const all = [...this.objects].filter(([path]) => path.startsWith(prefix) && path > after).sort();
    const page = all.slice(0, this.keysPerPage);
    const contents = page.map(([path, { bytes, modified, etag: plain }]) => {
      const key = encodeURIComponent(path.slice(bucket.length + 1)).replaceAll('%20', '+');
      const etag = plain.replaceAll('"', '&quot;');
      return `<Contents><Key>${key}</Key><LastModified>${modified.toISOString()}</LastModified><ETag>${etag}</ETag><Size>${bytes.length}</Size></Contents>`;
    });
    const more = all.length > page.length;
    const token = more ? `<NextContinuationToken>${page.at(-1)![0]}</NextContinuationToken>` : '';
    response.end(
      `<?xml version="1.0"?><ListBucketResult xmlns="x"><IsTruncated>${more}</IsTruncated>${contents.join('')}${token}</ListBucketResult>`,
    );
  }
}

function send(
  { bytes, modified, etag }: Stored,
  { method, headers: { range } }: IncomingMessage,
  response: ServerResponse,
  fault: { readonly cutAfter: number } | undefined,
): void {
  const [, from = '0', to = `${bytes.length - 1}`] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
  const part = bytes.subarray(Number(from), Number(to) + 1);
  const times = { etag, 'last-modified': modified.toUTCString() };
  response.writeHead(range === undefined ? 200 : 206, { ...times, 'content-length': part.length });
  if (method === 'HEAD') response.end();
  else if (fault) {
    response.write(part.subarray(0, fault.cutAfter), () => setTimeout(() => response.destroy(), 20));
  } else response.end(part);
}

function etagOf(bytes: Uint8Array): string {
  return `"${createHash('md5').update(bytes).digest('hex')}"`;
}

/** Signature Version 4, https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
function isSigned({ method, headers }: IncomingMessage, url: URL): boolean {
  const [, scope = '', names = '', given] =
    /^AWS4-HMAC-SHA256 Credential=AKIATEST\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=(\w+)$/.exec(
      headers.authorization!,
    ) ?? [];
  const encoded = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
  const query = [...url.searchParams].map(([name, value]) => `${encoded(name)}=${encoded(value)}`).sort();
  const canonical = [
    method,
    url.pathname
      .split('/')
      .map((part) => encoded(decodeURIComponent(part)))
      .join('/'),
    query.join('&'),
    ...names.split(';').map((name) => `${name}:${headers[name]}`),
    '',
    names,
    headers['x-amz-content-sha256'],
  ].join('\n');
  const digest = createHash('sha256').update(canonical).digest('hex');
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, digest].join('\n');
  const keyed = (key: string | Buffer, message: string) => createHmac('sha256', key).update(message).digest();
  const key = scope.split('/').reduce<string | Buffer>(keyed, `AWS4${credentials.AWS_SECRET_ACCESS_KEY}`);
  return createHmac('sha256', key).update(text).digest('hex') === given;
}
